/**
 * `npm test`: prepares the machine, builds, runs the tests, then looks for what they left behind. A run is known by a
 * temporary directory of its own, which all of its processes carry in their environment: a mount below that directory
 * or a process with that environment, after the run, is a leak.
 *
 *     npm test                          everything
 *     npm test -- test/e2e/git.ts       some files
 */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clearLeftovers } from './leftovers.js'
import { prepareMachine } from './machine.js'

/** The whole run. A hanging test is ended by tap's own, shorter limit. */
const RUN_LIMIT_MS = 30 * 60_000

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

/** @param {string} message */
function stop(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

/** Runs tap to its end. @param {string[]} files @param {string} directory @returns {Promise<number>} its exit code */
async function runTap(files, directory) {
  const tap = join(root, 'node_modules/tap/dist/esm/run.mjs')
  const words = [tap, 'run', '--disable-coverage', `--output-file=${join(directory, 'run.tap')}`, ...files]
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TMPDIR: directory, ATEFS_TEST_RUN: directory },
    timeout: RUN_LIMIT_MS,
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

/** The counts of assertions from tap's own closing line. @param {string} path */
function readCounts(path) {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // Nothing was written: nothing ran.
  }
  const summary = [...text.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1)?.[1] ?? ''
  const count = (/** @type {string} */ name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
}

const wrong = prepareMachine()
if (wrong !== undefined) stop(wrong)
if (spawnSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) {
  stop('The build failed.')
}

const directory = mkdtempSync(join(tmpdir(), 'atefs-test-'))
chmodSync(directory, 0o755)
const exitCode = await runTap(process.argv.slice(2), directory)
const { passed, failed, skipped } = readCounts(join(directory, 'run.tap'))
const leftovers = await clearLeftovers(directory)
for (const leftover of leftovers) process.stderr.write(`left behind by the tests: ${leftover}\n`)
rmSync(directory, { recursive: true, force: true })

// A file that died or a leak fails the run even when every assertion that was reached held.
const ranNothing = passed + failed === 0
const failures = failed + leftovers.length + (failed === 0 && (exitCode !== 0 || ranNothing) ? 1 : 0)
writeSync(1, `${passed} passed, ${failures} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`)
process.exitCode = failures === 0 ? 0 : 1
