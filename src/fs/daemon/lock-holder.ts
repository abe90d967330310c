/**
 * Who has a chain open for writing, told by the chain itself: the runtime directory that its daemon is registered in may be
 * another one (sudo, cron), or gone (systemd removes it with the last session of a user).
 */
import { readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { LOCK_NAME, readLockPid } from '../../adapters/node/chain-lock.js'
import { processStart, type ProcessIdentity } from './registry.js'

/** Undefined when nobody has, when only readers have, and when that process is not ours to look into. */
export function lockHolder(directory: string): ProcessIdentity | undefined {
  const pid = readPid(directory)
  const start = pid === undefined ? undefined : processStart(pid)
  if (pid === undefined || start === undefined || !hasOpen(pid, join(directory, LOCK_NAME))) return undefined
  return { pid, processStart: start }
}

/**
 * Once it has ended: false when it did not get as far as having everything durable. A process that does takes its pid out
 * of the lock.
 */
export function endedWell(holder: ProcessIdentity, directory: string): boolean {
  return readPid(directory) !== holder.pid
}

/** A mount's source may be any text. */
function readPid(directory: string): number | undefined {
  return isAbsolute(directory) ? readLockPid(directory) : undefined
}

/** The pid in the file may be that of a process that was killed, and have been given to another since. */
function hasOpen(pid: number, path: string): boolean {
  try {
    const real = realpathSync(path)
    return openFiles(pid).some((file) => file.path === real)
  } catch {
    return false
  }
}

/** Descriptors of a process and their paths; fails when it is not ours to look into. */
export function openFiles(pid: number): { fd: string; path: string }[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => ({ fd, path: linkOf(`/proc/${pid}/fd/${fd}`) }))
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
