/**
 * After a plain umount(8) the daemon is still committing: a remount must wait for it, not fail. Only a chain that is really
 * mounted somewhere, or held for long, is reported as locked.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AteError, errorCode } from '../../engine/error.js'
import { MOUNT_TYPE, findMount } from './mount-table.js'
import { listMounts, type MountRecord } from './registry.js'

const RETRY_MS = 50
/** For a holder we know nothing of: another user's, another tool. */
const UNKNOWN_HOLDER_MS = 10_000
/** For a daemon of ours that is ending: it may have much to commit. */
const ENDING_HOLDER_MS = 120_000

export interface LockWait {
  directory: string
  runtimeDirectory: string
  onNotice: (message: string) => void
}

/** Calls `open` until it does not fail with CHAIN_LOCKED, within bounds. */
export async function openWhenFree<T>(open: () => Promise<T>, wait: LockWait): Promise<T> {
  const startedAtMs = performance.now()
  for (let attempt = 0; ; attempt++) {
    try {
      return await open()
    } catch (error) {
      if (errorCode(error) !== 'CHAIN_LOCKED') throw error
      const holder = listMounts(wait.runtimeDirectory).find((record) => record.directory === wait.directory)
      const boundMs = holder === undefined ? UNKNOWN_HOLDER_MS : ENDING_HOLDER_MS
      if (performance.now() - startedAtMs > boundMs) throw error
      if (holder !== undefined && isMounted(holder)) throw mountedElsewhere(holder, error)
      if (attempt === 0)
        wait.onNotice(
          `waiting for ${holder === undefined ? 'who' : `process ${holder.pid}, which`} has the chain open to finish`,
        )
      await sleep(RETRY_MS)
    }
  }
}

function isMounted(holder: MountRecord): boolean {
  return findMount(holder.mountpoint)?.type === MOUNT_TYPE
}

function mountedElsewhere(holder: MountRecord, cause: unknown): AteError {
  return new AteError('CHAIN_LOCKED', `the chain is mounted at ${holder.mountpoint} by process ${holder.pid}`, {
    hint: `To take it out: atefs umount ${holder.mountpoint}`,
    cause,
  })
}
