/** Who serves a mount, for when no record of it is found: by the source that the mount names, or by what the kernel tells. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { LOCK_NAME } from '../../adapters/node/chain-lock.js'
import { lockHolder, openFiles } from './lock-holder.js'
import type { MountTableEntry } from './mount-table.js'
import type { ProcessIdentity } from './registry.js'

export interface Server {
  /** The chain's. */
  directory: string
  daemon: ProcessIdentity
}

/** Undefined for who only reads, for a process that is not ours to look into, and where an older kernel does not tell. */
export function findServer({ source, minor }: MountTableEntry): Server | undefined {
  const daemon = lockHolder(source)
  if (daemon !== undefined) return { directory: source, daemon }
  // The source is what `fsname=` says.
  for (const pid of readdirSync('/proc')) {
    const directory = /^\d+$/.test(pid) ? servedDirectory(Number(pid), minor) : undefined
    const holder = directory === undefined ? undefined : lockHolder(directory)
    if (directory !== undefined && holder?.pid === Number(pid)) return { directory, daemon: holder }
  }
  return undefined
}

/** Where the process has a lock open, if it has the FUSE connection of that number too. */
function servedDirectory(pid: number, connection: number): string | undefined {
  try {
    const files = openFiles(pid)
    const isServer = files.some(({ fd, path }) => path === '/dev/fuse' && connectionOf(pid, fd) === connection)
    const lock = isServer ? files.find(({ path }) => basename(path) === LOCK_NAME) : undefined
    return lock === undefined ? undefined : dirname(lock.path)
  } catch {
    // It has ended, or belongs to somebody else.
    return undefined
  }
}

/** Newer kernels tell it (6.18 does). */
function connectionOf(pid: number, fd: string): number | undefined {
  const number = /^fuse_connection:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'))?.[1]
  return number === undefined ? undefined : Number(number)
}
