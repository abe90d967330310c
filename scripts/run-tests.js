/**
 * Runs test files, several processes at a time, and tells each as it ends. tap writes in each process; `tap run`, which is for
 * coverage, would start each with more, and read all that they write once more.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTapFilter } from './tap-filter.js'
import { costText, createCosts, waitedForSeconds } from './test-costs.js'

/** Many wait for processes, mounts and disks most of their time, each for its own. */
const JOBS = 2 * availableParallelism()
/** Tells what hung, and ends by itself, unless it cannot. */
const GRACE_MS = 20_000
/** Files that share a process have the time of so many: none takes long, and one that hangs is not waited for by all. */
const SHARED_LIMIT = 2
/** A process that was left behind may hold the pipe open for ever: what the test itself wrote is there by then. */
const PIPE_MS = 1000

const NODE_WORDS = [
  '--enable-source-maps',
  // As in .taprc.
  '--import=./scripts/typescript/loader.js',
  '--import=./scripts/typescript/cheap-passphrases.js',
]

/**
 * @typedef {object} HowToRun
 * @property {NodeJS.ProcessEnv} env
 * @property {number} timeoutSeconds of each file; 0: no limit
 * @property {AbortSignal} signal ends the run
 */

/** Of the processes that have ended so far. */
let waitedFor = waitedForSeconds()

/** @param {string[]} files @param {HowToRun} how */
async function runProcess(files, { env, timeoutSeconds, signal }) {
  const startedMs = Date.now()
  /** @type {string[]} */
  const shown = []
  const filter = createTapFilter((line) => shown.push(line))
  const [first = ''] = files
  const words = files.length === 1 ? [first] : ['scripts/test-files.js', first]
  const limitMs = timeoutSeconds * Math.min(files.length, SHARED_LIMIT) * 1000
  const child = spawn(process.execPath, [...NODE_WORDS, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, TAP: '1', TAP_TIMEOUT: String(limitMs / 1000), ATEFS_TEST_FILES: files.join(' ') },
    ...(limitMs === 0 ? {} : { timeout: limitMs + GRACE_MS }),
    signal,
    killSignal: 'SIGKILL',
  })
  // Ended by the signal: that it was is told as the end of the process.
  child.on('error', () => undefined)
  let processorSeconds = 0
  const ended = new Promise((resolve) => {
    child.once('exit', (code) => {
      const now = waitedForSeconds()
      processorSeconds = now - waitedFor
      waitedFor = now
      resolve(code)
    })
  })
  const lines = createInterface({ input: child.stdout }).on('line', filter.line)
  const read = new Promise((resolve) => lines.once('close', resolve))
  const exitCode = await ended
  await Promise.race([read, sleep(PIPE_MS)])
  child.stdout.destroy()
  const counts = filter.counts()
  // One that died fails even when every assertion that was reached held; so does one that tests nothing.
  const isSilent = counts.passed + counts.failed + counts.skipped === 0
  if (counts.failed === 0 && (exitCode !== 0 || isSilent)) counts.failed = 1
  const name = files.length === 1 ? first : `${first} to ${files.at(-1)} (${files.length} files)`
  const result = counts.failed === 0 ? 'ok' : 'not ok'
  const seconds = (Date.now() - startedMs) / 1000
  const where = filter.file() === '' ? '' : `; the last file: ${filter.file()}`
  const why = exitCode === 0 || exitCode === 1 ? '' : `, ended with ${exitCode ?? child.signalCode}${where}`
  process.stdout.write([`${result} - ${name} # ${costText(processorSeconds, seconds)}${why}`, ...shown, ''].join('\n'))
  return { ...counts, name, processorSeconds, seconds }
}

/**
 * @param {string[][]} processes the files of each
 * @param {HowToRun} how
 */
export async function runTests(processes, how) {
  const waiting = [...processes]
  const total = { passed: 0, failed: 0, skipped: 0 }
  const costs = createCosts()
  const work = async () => {
    for (let files = waiting.shift(); files !== undefined && !how.signal.aborted; files = waiting.shift()) {
      const { passed, failed, skipped, name, processorSeconds, seconds } = await runProcess(files, how)
      costs.add(name, processorSeconds, seconds)
      total.passed += passed
      total.failed += failed
      total.skipped += skipped
    }
  }
  await Promise.all(Array.from({ length: JOBS }, work))
  if (processes.length > 1) process.stdout.write(`${costs.lines().join('\n')}\n`)
  return total
}
