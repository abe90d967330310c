/** What a refused mount means and what to type, by errno (mount(2), open(2)) or by what fusermount3 said. */
import { AteError, type ErrorCode } from '../../../../engine/error.js'
import { Errno } from '../../../errno.js'
import type { ToolResult } from './run-tool.js'

const LOAD_MODULE = 'To load it: modprobe fuse (as root). In a container: start it with --device /dev/fuse.'
const INSTALL_TOOL =
  'To install it: apt install fuse3 (Debian, Ubuntu), dnf install fuse3 (Fedora), apk add fuse3 (Alpine).'
const CONTAINER =
  'In a container: start it with --device /dev/fuse --cap-add SYS_ADMIN --security-opt apparmor=unconfined. Otherwise see what AppArmor or SELinux refused: journalctl -k -g fuse'

/** /dev/fuse could not be opened. `code` is errno's name. */
export function deviceError(code: string, cause: unknown): AteError {
  if (code === 'EACCES' || code === 'EPERM') {
    return new AteError('FUSE_UNAVAILABLE', 'there is no permission to open /dev/fuse', {
      hint: 'To allow it: chmod 0666 /dev/fuse (as root). In a container: start it with --device /dev/fuse.',
      cause,
    })
  }
  const missing = code === 'ENOENT' || code === 'ENXIO' || code === 'ENODEV'
  const problem = missing
    ? '/dev/fuse is absent: the kernel has FUSE not loaded'
    : `/dev/fuse cannot be opened (${code})`
  return new AteError('FUSE_UNAVAILABLE', problem, { hint: LOAD_MODULE, cause })
}

/** There is something else in the place of /dev/fuse. */
export function notTheDevice(what: string): AteError {
  return new AteError('FUSE_UNAVAILABLE', `/dev/fuse is not the device of FUSE (10:229), but ${what}`, {
    hint:
      'To make it (as root): rm /dev/fuse; mknod -m 666 /dev/fuse c 10 229. ' +
      'In a container: start it with --device /dev/fuse.',
  })
}

/** mount(2) failed. */
export function mountError(errno: number, mountpoint: string): AteError {
  switch (errno) {
    case Errno.EPERM:
    case Errno.EACCES:
      return new AteError('MOUNT_REFUSED', 'the kernel does not permit this process to mount', { hint: CONTAINER })
    case Errno.ENODEV:
      return new AteError('FUSE_UNAVAILABLE', 'the kernel has no FUSE', { hint: LOAD_MODULE })
    case Errno.EBUSY:
      return new AteError('MOUNTPOINT_BUSY', `${mountpoint} is in use`)
    case Errno.ENOENT:
    case Errno.ENOTDIR:
      return unusable(mountpoint, 'is not an existing directory')
    default:
      return new AteError('MOUNT_REFUSED', `mounting at ${mountpoint} failed with errno ${errno}`)
  }
}

/** What fusermount3 says, in English (mount/fusermount.c of libfuse), and what it means. */
const SENTENCES: readonly [RegExp, ErrorCode, string, string?][] = [
  [
    /allow_other only allowed/,
    'MOUNT_REFUSED',
    'the option allow_other is not allowed to ordinary users here',
    'To allow it: add the line user_allow_other to /etc/fuse.conf (as root). Or leave the option out.',
  ],
  [/too many FUSE filesystems/, 'MOUNT_REFUSED', 'too many FUSE mounts', 'The limit is mount_max in /etc/fuse.conf.'],
  [/device not found|\/dev\/fuse: No such/, 'FUSE_UNAVAILABLE', '/dev/fuse is absent', LOAD_MODULE],
  [
    /\/dev\/fuse: Permission denied/,
    'FUSE_UNAVAILABLE',
    'there is no permission to open /dev/fuse',
    'To allow it: chmod 0666 /dev/fuse (as root).',
  ],
  [
    /no write access to mountpoint|not owned by user|sticky/,
    'MOUNTPOINT_UNUSABLE',
    'the mountpoint must be a directory that you own and may write to',
  ],
  [
    /bad mount point|failed to access mountpoint|not a directory|mountpoint is not/,
    'MOUNTPOINT_UNUSABLE',
    'the mountpoint is not a directory within reach',
  ],
  [/unknown option/, 'BAD_OPTION', 'fusermount3 does not know one of the options'],
  [/busy/i, 'MOUNTPOINT_BUSY', 'the mountpoint is in use'],
  [
    /not permitted|permission denied/i,
    'MOUNT_REFUSED',
    'mounting is not permitted',
    `fusermount3 must be set-user-id root (ls -l $(command -v fusermount3)). ${CONTAINER}`,
  ],
]

/** fusermount3 did not mount. */
export function toolError(result: ToolResult, mountpoint: string): AteError {
  if (result.startError === 'ENOENT') {
    return new AteError('FUSE_UNAVAILABLE', 'fusermount3 is not installed: without it only root can mount', {
      hint: INSTALL_TOOL,
    })
  }
  if (result.startError !== undefined) {
    return new AteError('FUSE_UNAVAILABLE', `fusermount3 cannot be started (${result.startError})`)
  }
  const said = result.message === '' ? `status ${result.status ?? 'unknown'}` : result.message
  for (const [pattern, code, meaning, hint] of SENTENCES) {
    if (pattern.test(said)) return withHint(code, `${mountpoint}: ${meaning} (${said})`, hint)
  }
  return new AteError('MOUNT_REFUSED', `mounting at ${mountpoint} failed: ${said}`)
}

function withHint(code: ErrorCode, message: string, hint: string | undefined): AteError {
  return new AteError(code, message, hint === undefined ? {} : { hint })
}

function unusable(mountpoint: string, problem: string): AteError {
  return new AteError('MOUNTPOINT_UNUSABLE', `the mountpoint ${mountpoint} ${problem}`)
}
