/** `atefs status`: what each daemon of this user says, and the mounts that no daemon answers for. */
import { AteError, isAteError } from '../../engine/error.js'
import { requestStatus } from './control-client.js'
import { MOUNT_TYPE, readMountTable, type MountTableEntry } from './mount-table.js'
import { resolveMountpoint } from './mountpoint.js'
import type { MountStatus } from './mount-status.js'
import { listMounts, socketOf, type MountRecord } from './registry.js'

/** A mount whose daemon does not answer (it is starting, stuck, dead, or another user's). */
export interface SilentMount {
  state: 'silent'
  mountpoint: string
  /** The chain's directory, or the name shown in /proc/mounts. */
  directory: string
  pid?: number
}

export type MountReport = MountStatus | SilentMount

/** All mounts, or the one at `path` (NOT_MOUNTED when there is none). */
export async function collectStatus(runtimeDirectory: string, path?: string): Promise<MountReport[]> {
  const place = path === undefined ? undefined : resolveMountpoint(path)
  const isWanted = (mountpoint: string): boolean => place === undefined || mountpoint === place
  const records = listMounts(runtimeDirectory).filter((record) => isWanted(record.mountpoint))
  const reports = await Promise.all(records.map((record) => askDaemon(runtimeDirectory, record)))
  const known = new Set(records.map((record) => record.mountpoint))
  for (const entry of readMountTable()) {
    const { mountpoint, source } = entry
    if (isOurs(entry) && isWanted(mountpoint) && !known.has(mountpoint)) {
      reports.push({ state: 'silent', mountpoint, directory: source })
    }
  }
  if (place !== undefined && reports.length === 0) {
    throw new AteError('NOT_MOUNTED', `no chain is mounted at ${place}`, {
      hint: 'To see what is mounted: atefs status',
    })
  }
  return reports
}

/** Mounted by this user. */
function isOurs({ type, superOptions }: MountTableEntry): boolean {
  return type === MOUNT_TYPE && superOptions.split(',').includes(`user_id=${process.getuid?.() ?? -1}`)
}

async function askDaemon(runtimeDirectory: string, record: MountRecord): Promise<MountReport> {
  const { mountpoint, directory, pid } = record
  const silent: SilentMount = { state: 'silent', mountpoint, directory, pid }
  try {
    return (await requestStatus(socketOf(runtimeDirectory, pid))) ?? silent
  } catch (error) {
    if (isAteError(error)) return silent
    throw error
  }
}
