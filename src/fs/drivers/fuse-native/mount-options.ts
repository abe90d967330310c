/** Options of libfuse 2 (fuse(8)) for a mount of ours. */
import { AteError } from '../../../engine/error.js'
import type { DriverOptions } from '../driver.js'

/** What libfuse 2 hands on to the kernel (lib/mount.c). */
const KERNEL_OPTIONS = new Set([
  ...['rw', 'suid', 'nosuid', 'dev', 'nodev', 'exec', 'noexec'],
  ...['async', 'sync', 'dirsync', 'atime', 'noatime'],
])

/** Fails with BAD_OPTION for what libfuse 2 does not know. */
export function mountOptions(options: DriverOptions, isRoot: boolean): string[] {
  const words = [
    `fsname=${escaped(options.fsName)}`,
    `subtype=${options.subtype}`,
    'default_permissions',
    'use_ino',
    'big_writes',
    // Two names of one file are two files to libfuse: what is remembered of one would hide changes made through the other.
    'attr_timeout=0',
  ]
  // Names of a file system that others change too are remembered for a moment, and asked for again where everything is.
  if (options.others !== undefined) {
    words.push(`entry_timeout=${options.others.kind === 'asked' ? 0 : 1}`, 'negative_timeout=0')
  }
  // fusermount3 allows what libfuse 2 itself refuses as root; the mountpoint has been looked at before.
  if (isRoot) words.push('nonempty')
  if (options.readOnly) words.push('ro')
  if (options.allowOther) words.push('allow_other')
  else if (options.allowRoot) words.push('allow_root')
  if (options.uid !== undefined) words.push(`uid=${options.uid}`)
  if (options.gid !== undefined) words.push(`gid=${options.gid}`)
  if (options.umask !== undefined) words.push(`umask=${options.umask.toString(8)}`)
  for (const option of options.kernelOptions) {
    // The kernel's default, unknown to libfuse.
    if (option === 'relatime') continue
    if (!KERNEL_OPTIONS.has(option)) throw new AteError('BAD_OPTION', `the driver fuse-native does not know ${option}`)
    words.push(option)
  }
  return words
}

/** A comma would begin the next option. */
function escaped(value: string): string {
  return value.replaceAll(/[\\,]/g, '\\$&')
}
