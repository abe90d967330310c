/**
 * Makes sure that a directory can be mounted on, before any passphrase is asked for: makes it if absent, clears what a
 * crashed daemon left there, refuses what is busy or full. Nothing here touches a live mount.
 */
import { lstatSync, opendirSync, readlinkSync, realpathSync, rmdirSync, type Stats } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AteError } from '../../engine/error.js'
import { detach } from '../drivers/direct/mount/detach.js'
import { makeDirectory } from '../../adapters/node/make-directory.js'
import { MOUNT_TYPE, findMount } from './mount-table.js'

const MAX_SYMLINKS = 40
/** Mounts on top of each other that we are ready to clear. */
const MAX_STACKED = 16

/**
 * The absolute path without symbolic links, as the kernel's table shows it. The last component is never looked into when
 * something is mounted there: realpath(3) would ask the daemon of that mount.
 */
export function resolveMountpoint(path: string): string {
  // It would be the current directory: more likely the variable of a script is not set.
  if (path === '') throw new AteError('BAD_ARGUMENT', 'the mountpoint is empty', { hint: 'Name a directory.' })
  let current = resolve(path)
  for (let followed = 0; followed <= MAX_SYMLINKS; followed++) {
    const parent = dirname(current)
    const place = parent === current ? current : join(realDirectory(parent), basename(current))
    if (findMount(place) !== undefined) return place
    if (lstat(place)?.isSymbolicLink() !== true) return place
    current = resolve(dirname(place), readlinkSync(place))
  }
  throw unusable(path, 'leads through too many symbolic links')
}

export interface PrepareOptions {
  /** Mount over what is there. */
  nonEmpty: boolean
  onNotice: (message: string) => void
}

export interface PreparedMountpoint {
  /** The resolved path. */
  mountpoint: string
  /** When nothing is mounted after all: removes the directories made for it, as far as they are empty. Never fails. */
  undo: () => void
}

/** The mountpoint, ready. Fails with MOUNTPOINT_BUSY, MOUNTPOINT_NOT_EMPTY, MOUNTPOINT_UNUSABLE. */
export async function prepareMountpoint(path: string, options: PrepareOptions): Promise<PreparedMountpoint> {
  const place = resolveMountpoint(path)
  await clearDeadMounts(place, options.onNotice)
  const stats = lstat(place)
  if (stats === undefined) return { mountpoint: place, undo: makeMountpoint(place) }
  if (!stats.isDirectory()) throw unusable(place, 'is not a directory')
  if (!options.nonEmpty && !isEmpty(place)) {
    throw new AteError('MOUNTPOINT_NOT_EMPTY', `${place} is not empty`, {
      hint: 'Its files would be hidden while mounted: choose another directory, or add --non-empty.',
    })
  }
  return { mountpoint: place, undo: () => undefined }
}

async function clearDeadMounts(place: string, onNotice: (message: string) => void): Promise<void> {
  for (let i = 0; i < MAX_STACKED; i++) {
    const mount = findMount(place)
    // A disk mounted here is a directory like any other; another FUSE file system is in use, or not ours to clear.
    if (mount === undefined || !mount.type.startsWith('fuse.')) return
    if (mount.type !== MOUNT_TYPE || !(await isDeadMount(place))) {
      const isOurs = mount.type === MOUNT_TYPE
      const what = isOurs ? 'has a chain mounted already' : `has a ${mount.type} mounted`
      const command = isOurs ? 'atefs umount' : 'umount'
      throw new AteError('MOUNTPOINT_BUSY', `${place} ${what}`, { hint: `To take it out: ${command} ${place}` })
    }
    await detach(place, { lazy: true })
    onNotice(`cleared the mount that a daemon which died had left at ${place}`)
  }
}

/** A daemon that does not answer for so long is alive for our purposes: its mount is not ours to take. */
const DEAD_PROBE_MS = 3000

/**
 * True when the daemon behind a FUSE mount is gone: the kernel then answers by itself, at once, with ENOTCONN. Asked with
 * statfs(2), which the kernel never answers from its caches as it does stat(2).
 */
export async function isDeadMount(mountpoint: string): Promise<boolean> {
  const timeout = new AbortController()
  try {
    const silence = sleep(DEAD_PROBE_MS, false, { signal: timeout.signal })
    const probe = statfs(mountpoint).then(
      () => false,
      (error: unknown) => codeOf(error) === 'ENOTCONN',
    )
    return await Promise.race([probe, silence])
  } finally {
    timeout.abort()
  }
}

/** What undoes it. */
function makeMountpoint(place: string): () => void {
  const made: string[] = []
  const undo = (): void => void systemError(() => made.forEach((directory) => rmdirSync(directory)))
  const problem = systemError(() => makeDirectory(place, 0o755, made))
  if (problem === undefined) return undo
  undo()
  throw unusable(place, `does not exist and cannot be made (${problem})`)
}

function isEmpty(directory: string): boolean {
  let empty = false
  const problem = systemError(() => {
    const handle = opendirSync(directory)
    empty = handle.readSync() === null
    handle.closeSync()
  })
  if (problem !== undefined) throw unusable(directory, `cannot be read (${problem})`)
  return empty
}

function lstat(path: string): Stats | undefined {
  let stats: Stats | undefined
  const problem = systemError(() => {
    stats = lstatSync(path, { throwIfNoEntry: false })
  })
  if (problem !== undefined && problem !== 'ENOENT') throw unusable(path, `cannot be examined (${problem})`)
  return stats
}

/** The real path of a directory that may not exist yet. */
function realDirectory(path: string): string {
  const parent = dirname(path)
  try {
    return realpathSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || parent === path) throw unusable(path, `cannot be reached (${codeOf(error)})`)
    return join(realDirectory(parent), basename(path))
  }
}

function systemError(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

function unusable(path: string, problem: string): AteError {
  return new AteError('MOUNTPOINT_UNUSABLE', `the mountpoint ${path} ${problem}`)
}
