import type { ChangedElsewhere, FileSystem } from '../vfs/types.js'

/**
 * How a mount keeps up with changes made elsewhere. `pushed`: the kernel remembers, and is told (`invalidate`). `asked`: it
 * remembers nothing, and who looks for a name or opens something waits for `refresh`, where that is a promise.
 */
export type Others = { kind: 'pushed' } | { kind: 'asked'; refresh: () => Promise<void> | undefined }

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
