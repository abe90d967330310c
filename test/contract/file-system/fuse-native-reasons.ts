/**
 * What the driver fuse-native cannot do, and why: libfuse 2.9 lacks it, or the package fuse-native 2.2.6 loses it on the way.
 * docs/conformance.md has the list for users.
 */
import type { Lacks } from './contract.js'

export const fuseNativeReasons: Lacks = {
  'owner of a new file':
    'The package does not say who asks: whatever is made belongs to the user who mounted, whoever makes it.',
  'setting times':
    'The package passes the access time twice: a time of modification that differs from it (tar, cp -p, rsync) is lost, and libfuse drops the setting of one time alone.',
  nanoseconds: 'Times pass in whole milliseconds, and none before 1970.',
  'names that are not UTF-8': 'Paths are text in the package: other names are refused (EINVAL), and shown with U+FFFD.',
  'rename flags': 'libfuse 2.9 has no renameat2: NOREPLACE and EXCHANGE are refused (EINVAL).',
  whiteouts: 'libfuse 2.9 has no renameat2.',
  allocation: 'libfuse 2.9 hands on fallocate, the package does not: EOPNOTSUPP.',
  'zeroing ranges': 'As fallocate.',
  holes: 'libfuse 2.9 has no lseek: a file is all data. Holes take no space all the same.',
  'temporary files': 'libfuse 2.9 has no O_TMPFILE: EOPNOTSUPP.',
  'removed directories that are open': 'libfuse 2.9 asks by path, and the path is gone: fstat says ENOENT.',
  'access control lists': 'The kernel is not told to look at them, so they are refused (EOPNOTSUPP).',
}
