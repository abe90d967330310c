/**
 * `npm test`: prepares the machine, builds, runs the tests, then looks for what they left behind. A run is known by a
 * temporary directory of its own, which all of its processes carry in their environment: a mount below that directory
 * or a process with that environment, after the run, is a leak.
 *
 *     npm test                          everything
 *     npm test -- test/e2e/git.ts       some files
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { clearLeftovers } from './leftovers.js'
import { prepareMachine } from './machine.js'
import { createTapFilter } from './tap-filter.js'

/** `npm run fuzz` and `npm run crash` try harder and longer, and tell on stderr how far they are (`test/helpers/progress.ts`). */
const isLong = process.env.ATEFS_TEST_LONG !== undefined
/** The whole run. A hanging test is ended by tap's own, shorter limit. */
const RUN_LIMIT_MS = (isLong ? 8 * 60 : 60) * 60_000

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

/** @param {string} message */
function stop(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

/**
 * Runs tap to its end.
 * @param {string[]} files
 * @param {string} directory
 */
async function runTap(files, directory) {
  const filter = createTapFilter((line) => process.stdout.write(`${line}\n`))
  const words = [
    join(root, 'node_modules/tap/dist/esm/run.mjs'),
    'run',
    '--disable-coverage',
    '--reporter=tap',
    ...(isLong ? ['--timeout=14400'] : []),
    ...files,
  ]
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: directory, ATEFS_TEST_RUN: directory },
    timeout: RUN_LIMIT_MS,
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout }).on('line', filter.line)
  const read = once(lines, 'close')
  const [exitCode] = await ended
  // A process left behind may hold the pipe open for ever: what tap itself wrote is there by now.
  await Promise.race([read, sleep(1000)])
  child.stdout.destroy()
  return { exitCode, ...filter.counts() }
}

const wrong = prepareMachine()
if (wrong !== undefined) stop(wrong)
if (spawnSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) {
  stop('The build failed.')
}

const directory = mkdtempSync(join(tmpdir(), 'atefs-test-'))
chmodSync(directory, 0o755)
const { exitCode, passed, failed, skipped } = await runTap(process.argv.slice(2), directory)
const leftovers = await clearLeftovers(directory)
for (const leftover of leftovers) process.stderr.write(`left behind by the tests: ${leftover}\n`)
rmSync(directory, { recursive: true, force: true })

// A file that died or a leak fails the run even when every assertion that was reached held.
const ranNothing = passed + failed === 0
const failures = failed + leftovers.length + (failed === 0 && (exitCode !== 0 || ranNothing) ? 1 : 0)
writeSync(1, `${passed} passed, ${failures} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`)
process.exitCode = failures === 0 ? 0 : 1
