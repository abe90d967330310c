/**
 * After a plain umount(8) the daemon is still committing: a remount must wait for it, not fail. Only a chain that is really
 * mounted somewhere, or held for long, is reported as locked.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AteError, errorCode } from '../../engine/error.js'
import { MOUNT_TYPE, findMount, readMountTable } from './mount-table.js'
import { lockHolder } from './lock-holder.js'
import { listMounts } from './registry.js'

const RETRY_MS = 50
/** For a holder we know nothing of: another user's, another tool, readers. */
const UNKNOWN_HOLDER_MS = 10_000
/** For one whose mount is gone: it may have much to commit. */
const ENDING_HOLDER_MS = 120_000

export interface LockWait {
  directory: string
  runtimeDirectory: string
  onNotice: (message: string) => void
}

/** Calls `open` until it does not fail with CHAIN_LOCKED, within bounds. */
export async function openWhenFree<T>(open: () => Promise<T>, wait: LockWait): Promise<T> {
  let unknownMs = 0
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    try {
      return await open()
    } catch (error) {
      if (errorCode(error) !== 'CHAIN_LOCKED') throw error
      const { pid, mountpoint } = findHolder(wait)
      if (mountpoint !== undefined) throw mountedAt(mountpoint, pid, error)
      // Between its last word and its end a known holder is unknown for a moment.
      if (pid === undefined) unknownMs += RETRY_MS
      if (unknownMs > UNKNOWN_HOLDER_MS || waitedMs > ENDING_HOLDER_MS) throw error
      if (waitedMs === 0)
        wait.onNotice(`waiting for ${pid === undefined ? 'who' : `process ${pid}, which`} has the chain open to finish`)
      await sleep(RETRY_MS)
    }
  }
}

interface Holder {
  pid?: number | undefined
  /** Where it serves the chain still. */
  mountpoint?: string | undefined
}

/** By its record, which knows a mount whatever its source is called, else by the chain and the kernel's table. */
function findHolder({ directory, runtimeDirectory }: LockWait): Holder {
  const record = listMounts(runtimeDirectory).find((record) => record.directory === directory)
  if (record !== undefined) {
    const isMounted = findMount(record.mountpoint)?.type === MOUNT_TYPE
    return { pid: record.pid, mountpoint: isMounted ? record.mountpoint : undefined }
  }
  const mount = readMountTable().find(({ type, source }) => type === MOUNT_TYPE && source === directory)
  return { pid: lockHolder(directory)?.pid, mountpoint: mount?.mountpoint }
}

function mountedAt(mountpoint: string, pid: number | undefined, cause: unknown): AteError {
  const by = pid === undefined ? '' : ` by process ${pid}`
  return new AteError('CHAIN_LOCKED', `the chain is mounted at ${mountpoint}${by}`, {
    hint: `To take it out: atefs umount ${mountpoint}`,
    cause,
  })
}
