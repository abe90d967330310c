/**
 * `npm test`: prepares the machine, builds, runs the tests, then looks for what they left behind. A run is known by a
 * temporary directory of its own, which all of its processes carry in their environment: a mount below that directory
 * or a process with that environment, after the run, is a leak.
 *
 *     npm test                          everything
 *     npm test -- test/e2e/git.ts       some files, or folders; --timeout=SECONDS for each file, 0 for no limit
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clearLeftovers } from './leftovers.js'
import { prepareMachine } from './machine.js'
import { runTests } from './run-tests.js'
import { allTests, testsIn } from './test-processes.js'

/** `npm run long`, `fuzz`, `crash` and `chaos` try harder and longer, and tell on stderr how far they are (`test/helpers/progress.ts`). */
const isLong = process.env.ATEFS_TEST_LONG !== undefined
const RUN_LIMIT_MS = (isLong ? 8 * 60 : 60) * 60_000
const FILE_LIMIT_SECONDS = isLong ? 4 * 60 * 60 : 300

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

/** @param {string} message */
function stop(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

const wrong = prepareMachine()
if (wrong !== undefined) stop(wrong)
if (spawnSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) {
  stop('The build failed.')
}

const directory = mkdtempSync(join(tmpdir(), 'atefs-test-'))
chmodSync(directory, 0o755)
const words = process.argv.slice(2)
const files = words.filter((word) => !word.startsWith('--'))
const wanted = words.find((word) => word.startsWith('--timeout='))
const { passed, failed, skipped } = await runTests(files.length === 0 ? allTests() : testsIn(files), {
  env: { ...process.env, TMPDIR: directory, ATEFS_TEST_RUN: directory },
  timeoutSeconds: wanted === undefined ? FILE_LIMIT_SECONDS : Number(wanted.slice('--timeout='.length)),
  signal: AbortSignal.timeout(RUN_LIMIT_MS),
})
const leftovers = await clearLeftovers(directory)
for (const leftover of leftovers) process.stderr.write(`left behind by the tests: ${leftover}\n`)
rmSync(directory, { recursive: true, force: true })

const ranNothing = passed + failed === 0
const failures = failed + leftovers.length + (ranNothing ? 1 : 0)
writeSync(1, `${passed} passed, ${failures} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`)
process.exitCode = failures === 0 ? 0 : 1
