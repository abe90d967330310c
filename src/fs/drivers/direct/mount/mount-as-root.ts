/** A mount made by this process itself: open /dev/fuse, mount(2). */
import { closeSync, openSync } from 'node:fs'
import { mount, MountFlag } from '../../../../adapters/node/libc/mount.js'
import { AteError } from '../../../../engine/error.js'
import { checkDevice } from './fuse-device.js'
import { deviceError, mountError } from './mount-errors.js'
import type { MountTarget } from './mount-target.js'

const FLAGS: Readonly<Record<string, number>> = {
  nosuid: MountFlag.NOSUID,
  nodev: MountFlag.NODEV,
  noexec: MountFlag.NOEXEC,
  sync: MountFlag.SYNCHRONOUS,
  dirsync: MountFlag.DIRSYNC,
  noatime: MountFlag.NOATIME,
  nodiratime: MountFlag.NODIRATIME,
  relatime: MountFlag.RELATIME,
  strictatime: MountFlag.STRICTATIME,
  suid: 0,
  dev: 0,
  exec: 0,
  async: 0,
  atime: 0,
  rw: 0,
}

/** An open /dev/fuse that is one end of the mount. Fails with FUSE_UNAVAILABLE, MOUNT_REFUSED, MOUNTPOINT_BUSY, MOUNTPOINT_UNUSABLE, BAD_OPTION. */
export function mountAsRoot(target: MountTarget): number {
  const flags = mountFlags(target)
  const fd = openDevice()
  // rootmode is octal and says only that the root is a directory; its attributes are asked for.
  const options = [`fd=${fd}`, 'rootmode=40000', `user_id=${ownId('uid')}`, `group_id=${ownId('gid')}`]
  options.push('default_permissions')
  if (target.allowOther) options.push('allow_other')
  const result = mount(target.fsName, target.mountpoint, `fuse.${target.subtype}`, flags, options.join(','))
  if (result === 0) return fd
  closeSync(fd)
  throw mountError(-result, target.mountpoint)
}

function openDevice(): number {
  checkDevice()
  try {
    return openSync('/dev/fuse', 'r+')
  } catch (error) {
    throw deviceError(error instanceof Error && 'code' in error ? String(error.code) : 'unknown error', error)
  }
}

function mountFlags(target: MountTarget): number {
  let flags = target.readOnly ? MountFlag.RDONLY : 0
  for (const option of target.kernelOptions) {
    const flag = FLAGS[option]
    if (flag === undefined) throw new AteError('BAD_OPTION', `the mount option ${option} is not known`)
    flags |= flag
  }
  return flags
}

function ownId(kind: 'uid' | 'gid'): number {
  return (kind === 'uid' ? process.geteuid?.() : process.getegid?.()) ?? 0
}
