/** What is mounted where, in the terms of the kernel; and the descriptor that comes of it. */
export interface MountTarget {
  mountpoint: string
  fsName: string
  subtype: string
  readOnly: boolean
  /** Users other than the one who mounts may reach it. */
  allowOther: boolean
  /** nosuid, nodev, noexec, sync, ... */
  kernelOptions: readonly string[]
}

export interface MountedDevice {
  /** An open /dev/fuse that is one end of the mount. */
  fd: number
  /** Mounted through fusermount3, so unmounted through it. */
  asUser: boolean
}
