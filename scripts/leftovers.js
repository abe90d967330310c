/**
 * Finds and clears what a test run left behind: mounts below its temporary directory, and processes that carry the
 * run's name in their environment. Nothing else on the machine is touched.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Processes that are ending by themselves when the run is over get this long. */
const GRACE_MS = 3000

/** @param {string} directory @returns {string[]} mountpoints below it, the innermost first */
function mountsBelow(directory) {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const mountpoints = lines.map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
  return mountpoints.filter((path) => path.startsWith(`${directory}/`)).reverse()
}

/** @param {string} run @returns {{ pid: number, name: string }[]} */
function processesOf(run) {
  const found = []
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`ATEFS_TEST_RUN=${run}`)) continue
      found.push({ pid, name: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() })
    } catch {
      // Ended meanwhile, or another user's.
    }
  }
  return found.filter((process) => process.name !== '')
}

/**
 * @param {string} run the temporary directory of the run, also its name
 * @returns {Promise<string[]>} what was left, one sentence each; it is gone now
 */
export async function clearLeftovers(run) {
  for (const end = Date.now() + GRACE_MS; Date.now() < end && processesOf(run).length > 0;) await sleep(100)
  const processes = processesOf(run)
  const mounts = mountsBelow(run)
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Ended meanwhile.
    }
  }
  for (const mountpoint of mounts) {
    if (spawnSync('fusermount3', ['-u', '-z', mountpoint]).status !== 0) spawnSync('umount', ['-l', mountpoint])
  }
  return [
    ...processes.map(({ pid, name }) => `process ${pid} (${name.slice(0, 200)})`),
    ...mounts.map((mountpoint) => `mount ${mountpoint}`),
  ]
}
