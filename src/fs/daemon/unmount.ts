/**
 * `atefs umount`: the daemon commits, unmounts and ends, and is waited for. Works as well when the mount is gone already and
 * the daemon is still committing, when the daemon has died, and when it is another user's.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AteError, errorCode } from '../../engine/error.js'
import { requestUnmount } from './control-client.js'
import { detach } from '../drivers/direct/mount/detach.js'
import { findMount, MOUNT_TYPE } from './mount-table.js'
import { isDeadMount, resolveMountpoint } from './mountpoint.js'
import { findMountUsers } from './mount-users.js'
import { isAlive, listMounts, socketOf, type MountRecord } from './registry.js'

export interface Unmounted {
  mountpoint: string
  /** 'durable': its daemon said so. 'dead': the daemon had died. 'unknown': the daemon is not ours to ask. */
  outcome: 'durable' | 'dead' | 'unknown'
  pid?: number
  /** The last batch on the medium, when it is known. */
  durableSequence?: number
}

/** After its last word a daemon only exits. */
const EXIT_MS = 10_000
const POLL_MS = 10

/** Fails with NOT_MOUNTED, MOUNTPOINT_BUSY (naming who), WRITE_FAILED, ACCESS_DENIED. */
export async function unmount(path: string, runtimeDirectory: string): Promise<Unmounted> {
  const mountpoint = resolveMountpoint(path)
  // The newest: an older one at the same place is committing still, and the newest waited for it.
  const daemon = listMounts(runtimeDirectory).findLast((record) => record.mountpoint === mountpoint)
  const unmounted = daemon === undefined ? undefined : await askDaemon(daemon, runtimeDirectory)
  return unmounted ?? unmountWithoutDaemon(mountpoint)
}

async function askDaemon(daemon: MountRecord, runtimeDirectory: string): Promise<Unmounted | undefined> {
  const { mountpoint, pid } = daemon
  try {
    const end = await requestUnmount(socketOf(runtimeDirectory, pid))
    if (end === undefined) return undefined
    for (let waitedMs = 0; isAlive(daemon) && waitedMs < EXIT_MS; waitedMs += POLL_MS) await sleep(POLL_MS)
    const sequence = end['durableSequence']
    return {
      mountpoint,
      outcome: 'durable',
      pid,
      ...(typeof sequence === 'number' ? { durableSequence: sequence } : {}),
    }
  } catch (error) {
    throw errorCode(error) === 'MOUNTPOINT_BUSY' ? busy(mountpoint, error) : error
  }
}

function busy(mountpoint: string, cause: unknown): AteError {
  const users = findMountUsers(mountpoint)
  const who = users.slice(0, 10).map(({ program, pid }) => `${program} (${pid})`)
  if (users.length > who.length) who.push(`${users.length - who.length} more`)
  const by = who.length === 0 ? 'by a process that cannot be seen from here' : `by ${who.join(', ')}`
  return new AteError('MOUNTPOINT_BUSY', `${mountpoint} is in use ${by}`, {
    hint: 'Everything written so far is durable. Close what uses it (or leave the directory) and try again.',
    cause,
  })
}

async function unmountWithoutDaemon(mountpoint: string): Promise<Unmounted> {
  const mount = findMount(mountpoint)
  if (mount?.type !== MOUNT_TYPE) {
    const what = mount === undefined ? 'nothing is mounted' : `no chain is mounted, but a ${mount.type},`
    throw new AteError('NOT_MOUNTED', `${what} at ${mountpoint}`, { hint: 'To see what is mounted: atefs status' })
  }
  if (await isDeadMount(mountpoint)) {
    await detach(mountpoint, { lazy: true })
    return { mountpoint, outcome: 'dead' }
  }
  try {
    await detach(mountpoint, { lazy: false })
  } catch (error) {
    throw errorCode(error) === 'MOUNTPOINT_BUSY' ? busy(mountpoint, error) : error
  }
  return { mountpoint, outcome: 'unknown' }
}
