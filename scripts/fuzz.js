/**
 * `npm run fuzz`: the fuzz and crash tests in their long form, and the model tests for as many random sequences as asked
 * for, from a new seed each time. What fails of those is written to test/fuzz/cases, to be committed with its repair: every run replays it.
 *
 *     npm run fuzz                  1,000 sequences for each file system under test
 *     npm run fuzz -- 5000          more
 *     ATEFS_FUZZ_SEED=7 npm run fuzz     again
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FILES = [
  'test/fuzz/log.ts',
  'test/engine/log/crash.ts',
  'test/fs/vfs/crash.ts',
  'test/fs/vfs/model.ts',
  'test/e2e/model.ts',
  'test/e2e/model-fuse-native.ts',
]

const runs = Number(process.argv[2] ?? 1000)
if (!Number.isInteger(runs) || runs < 1) {
  process.stderr.write('npm run fuzz -- RUNS: a number of sequences\n')
  process.exit(2)
}
const seed = process.env['ATEFS_FUZZ_SEED'] ?? String(Math.floor(Date.now() / 1000))
process.stdout.write(`seed ${seed}, ${runs} sequences each\n`)
const { status } = spawnSync(
  process.execPath,
  [join(fileURLToPath(new URL('.', import.meta.url)), 'test.js'), '--timeout=0', ...FILES],
  {
    stdio: 'inherit',
    env: { ...process.env, ATEFS_TEST_LONG: '1', ATEFS_FUZZ_RUNS: String(runs), ATEFS_FUZZ_SEED: seed },
  },
)
process.exitCode = status ?? 1
