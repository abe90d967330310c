import type { ChangedElsewhere, FileSystem, Ino } from '../vfs/types.js'

/** How a mount gets along with others that change the same file system. */
export type Others = Keeping & {
  /** Before every change: a promise while it is the turn of others. It may have to be asked for again then. */
  turn?: () => Promise<void> | undefined
}

/**
 * How it keeps up with what they change. `pushed`: the kernel remembers, and is told (`invalidate`). `asked`: it remembers nothing,
 * and who looks for a name or opens something waits for `refresh`, where that is a promise; locks hold among all.
 */
type Keeping = { kind: 'pushed' } | { kind: 'asked'; refresh: () => Promise<void> | undefined; locks?: FileLocks }

/** Those of fcntl(2) and those of flock(2) do not see each other. */
export type LockSpace = 'fcntl' | 'flock'

export interface OwnedRange {
  readonly ino: Ino
  readonly space: LockSpace
  /** The kernel's name for a process or an open file: 16 hexadecimal digits. */
  readonly owner: string
  readonly from: number
  /** The last byte; MAX_SAFE_INTEGER for the end of the file, wherever that will be. */
  readonly to: number
}

export interface FileLock extends OwnedRange {
  readonly isExclusive: boolean
}

/** `held`: by others. `unavailable`: nobody can say whether it is free. */
export type LockAnswer = 'granted' | 'held' | 'deadlock' | 'interrupted' | 'unavailable'

/** Locks that hold beyond this machine. */
export interface FileLocks {
  lock(wanted: FileLock, waits: boolean, signal: AbortSignal): Promise<LockAnswer>
  unlock(range: OwnedRange): Promise<LockAnswer>
  /** One that it could not be beside; `owner` when he is on this machine. TIMED_OUT. */
  test(wanted: FileLock): Promise<(Omit<FileLock, 'ino' | 'space' | 'owner'> & { owner?: string }) | undefined>
  /** Somebody here believes to have a lock on the file that others may have by now. Until he lets go nobody may use it. */
  isLost(ino: Ino): boolean
}

/**
 * A driver connects a FileSystem to the kernel. Drivers know the file system and nothing of chains.
 */
export interface DriverOptions {
  /** Absolute path of an existing directory. Never touched again by this process after the mount. */
  mountpoint: string
  /** Shown as the source in /proc/mounts. */
  fsName: string
  /** Shown as the type: `fuse.` + subtype. */
  subtype: string
  readOnly: boolean
  allowOther: boolean
  allowRoot: boolean
  /** Generic mount options passed on as they are: nosuid, nodev, noexec, noatime, sync, ... */
  kernelOptions: readonly string[]
  /** Replace the owner, the group and mask the permission bits in what the kernel is shown. */
  uid?: number
  gid?: number
  umask?: number
  /** The file system changes elsewhere too. Absent: only through this mount. */
  others?: Others | undefined
  /** An unexpected failure that the mount survives: one line for the log. */
  onWarning: (message: string) => void
}

export interface MountedDriver {
  readonly name: 'direct' | 'fuse-native'
  /** Resolves when the kernel has let go of the mount, whoever asked for it. */
  readonly ended: Promise<void>
  /** Lets the kernel forget what was changed elsewhere. Returns at once; it may take a moment. */
  invalidate(changed: ChangedElsewhere): void
  /** Asks the kernel to unmount. MOUNTPOINT_BUSY while files are open below it. Resolves when `ended` does. */
  unmount(options?: { lazy?: boolean }): Promise<void>
}

/** Resolves once the mount answers requests. Fails with FUSE_UNAVAILABLE, MOUNT_REFUSED, MOUNTPOINT_*. */
export type Driver = (fileSystem: FileSystem, options: DriverOptions) => Promise<MountedDriver>
