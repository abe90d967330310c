/**
 * `atefs umount`: the daemon commits, unmounts and ends, and is waited for. Works as well when the mount is gone already and
 * the daemon is still committing, when the daemon has died, and when it cannot be asked: it is another user's, or registered
 * in another runtime directory than ours. Then the lock of its chain tells which process to wait for, or the kernel does.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AteError, errorCode } from '../../engine/error.js'
import { requestUnmount } from './control-client.js'
import { detach } from '../drivers/direct/mount/detach.js'
import { findMount, MOUNT_TYPE, type MountTableEntry } from './mount-table.js'
import { isDeadMount, resolveMountpoint } from './mountpoint.js'
import { findMountUsers } from './mount-users.js'
import { endedWell } from './lock-holder.js'
import { findServer, type Server } from './server-of-mount.js'
import {
  isAlive,
  isTemporaryChain,
  listMounts,
  socketOf,
  takeEnded,
  type MountRecord,
  type ProcessIdentity,
} from './registry.js'

export interface Unmounted {
  mountpoint: string
  /** 'durable': its daemon said so, or ended as one that has. 'dead': it had died. 'unknown': it cannot be found from here. */
  outcome: 'durable' | 'dead' | 'unknown'
  pid?: number
  /** The last batch on the medium, when it is known. */
  durableSequence?: number
  /** Batches that the chain's server has not got yet. */
  unsentBatches?: number
  /** The chain lived only as long as the mount. */
  temporary?: true
}

/** After its last word a daemon only exits. */
const EXIT_MS = 10_000
/** Without a word from it: it has everything to commit still. */
const COMMIT_MS = 120_000
const POLL_MS = 10

/** Fails with NOT_MOUNTED, MOUNTPOINT_BUSY (naming who), WRITE_FAILED, ACCESS_DENIED. */
export async function unmount(path: string, runtimeDirectory: string): Promise<Unmounted> {
  const mountpoint = resolveMountpoint(path)
  // The newest: an older one at the same place is committing still, and the newest waited for it.
  const isHere = (record: MountRecord): boolean => record.mountpoint === mountpoint
  const dead: MountRecord[] = []
  const daemon = listMounts(runtimeDirectory, (record) => dead.push(record)).findLast(isHere)
  const unmounted = daemon === undefined ? undefined : await askDaemon(daemon, runtimeDirectory)
  return unmounted ?? unmountWithoutDaemon(mountpoint, runtimeDirectory, dead.find(isHere))
}

async function askDaemon(daemon: MountRecord, runtimeDirectory: string): Promise<Unmounted | undefined> {
  const { mountpoint, pid } = daemon
  try {
    const end = await requestUnmount(socketOf(runtimeDirectory, pid))
    if (end === undefined) {
      // It may be at its very end: what is left of it then says how that was.
      await endOf(daemon, EXIT_MS)
      return undefined
    }
    await endOf(daemon, EXIT_MS)
    const { unsentBatches } = end
    const unsent = typeof unsentBatches === 'number' ? { unsentBatches } : {}
    return { ...durableEnd(daemon, end['durableSequence']), ...unsent }
  } catch (error) {
    throw errorCode(error) === 'MOUNTPOINT_BUSY'
      ? busy(mountpoint, error, 'Everything written so far is durable. ')
      : error
  }
}

function durableEnd({ mountpoint, pid, temporaryDirectory }: MountRecord, sequence: unknown): Unmounted {
  return {
    mountpoint,
    outcome: 'durable',
    pid,
    ...(typeof sequence === 'number' ? { durableSequence: sequence } : {}),
    ...(temporaryDirectory === undefined ? {} : { temporary: true }),
  }
}

function busy(mountpoint: string, cause: unknown, comfort = ''): AteError {
  const users = findMountUsers(mountpoint)
  const who = users.slice(0, 10).map(({ program, pid }) => `${program} (${pid})`)
  if (users.length > who.length) who.push(`${users.length - who.length} more`)
  const by = who.length === 0 ? 'by a process that cannot be seen from here' : `by ${who.join(', ')}`
  return new AteError('MOUNTPOINT_BUSY', `${mountpoint} is in use ${by}`, {
    hint: `${comfort}Close what uses it (or leave the directory) and try again.`,
    cause,
  })
}

/** `dead`: what its daemon had left, unless others met it before. */
async function unmountWithoutDaemon(
  mountpoint: string,
  runtimeDirectory: string,
  dead: MountRecord | undefined,
): Promise<Unmounted> {
  const mount = findMount(mountpoint)
  if (mount?.type !== MOUNT_TYPE) {
    const ended = takeEnded(runtimeDirectory, mountpoint)
    if (ended !== undefined) return durableEnd(ended, ended.endedWith)
    const what = mount === undefined ? 'nothing is mounted' : `no chain is mounted, but a ${mount.type},`
    throw new AteError('NOT_MOUNTED', `${what} at ${mountpoint}`, { hint: 'To see what is mounted: atefs status' })
  }
  if (await isDeadMount(mountpoint)) {
    await detach(mountpoint, { lazy: true })
    const isTemporary = dead === undefined ? isTemporaryChain(mount.source) : dead.temporaryDirectory !== undefined
    return { mountpoint, outcome: 'dead', ...(isTemporary ? { temporary: true } : {}) }
  }
  const server = findServer(mount)
  try {
    await detach(mountpoint, { lazy: false })
  } catch (error) {
    throw errorCode(error) === 'MOUNTPOINT_BUSY' ? busy(mountpoint, error) : error
  }
  if (server !== undefined) return awaitCommit(mountpoint, server)
  // Who only reads has nothing to commit.
  return { mountpoint, outcome: isReadOnly(mount) ? 'durable' : 'unknown' }
}

/** Fails with WRITE_FAILED, DAEMON_FAILED. */
async function awaitCommit(mountpoint: string, { directory, daemon }: Server): Promise<Unmounted> {
  const { pid } = daemon
  if (!(await endOf(daemon, COMMIT_MS))) {
    throw new AteError('DAEMON_FAILED', `${mountpoint} is unmounted, but process ${pid}, which served it, goes on`, {
      hint: 'It may be committing still, or the mount may be in use where it cannot be seen from here.',
    })
  }
  if (endedWell(daemon, directory)) return { mountpoint, outcome: 'durable', pid }
  throw new AteError(
    'WRITE_FAILED',
    `process ${pid}, which served ${mountpoint}, ended without committing everything`,
    {
      hint: 'What was synced is in the log. Its messages tell why.',
    },
  )
}

/** True when it has ended, false when that takes too long. */
async function endOf(daemon: ProcessIdentity, limitMs: number): Promise<boolean> {
  for (let waitedMs = 0; isAlive(daemon); waitedMs += POLL_MS) {
    if (waitedMs >= limitMs) return false
    await sleep(POLL_MS)
  }
  return true
}

function isReadOnly({ superOptions }: MountTableEntry): boolean {
  return superOptions.split(',').includes('ro')
}
