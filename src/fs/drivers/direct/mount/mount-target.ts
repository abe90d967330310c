/** What is mounted where, in the terms of the kernel. */
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
