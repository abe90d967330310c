/**
 * Numbers of the FUSE kernel protocol (linux/fuse.h, version 7.38). Integers are in the byte order of the machine, and
 * every machine that Node 20 supports FUSE on is little-endian.
 */

export const Opcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
} as const

/** Above every opcode of the protocol; an opcode at or above it is unknown. */
export const OPCODE_LIMIT = 64

export const PROTOCOL_MAJOR = 7
/** What the layouts here are of; the kernel uses the smaller of its own and this. */
export const PROTOCOL_MINOR = 38
/** Linux 5.10. What an older kernel lacks is more than flags. */
export const LOWEST_PROTOCOL_MINOR = 32

/** From this minor on the kernel knows of INC_EPOCH (Linux 6.16). */
export const EPOCH_PROTOCOL_MINOR = 44

/** Bits of fuse_init_in.flags and fuse_init_out.flags. */
export const InitFlag = {
  ASYNC_READ: 1 << 0,
  POSIX_LOCKS: 1 << 1,
  EXPORT_SUPPORT: 1 << 4,
  BIG_WRITES: 1 << 5,
  DONT_MASK: 1 << 6,
  FLOCK_LOCKS: 1 << 10,
  DO_READDIRPLUS: 1 << 13,
  READDIRPLUS_AUTO: 1 << 14,
  ASYNC_DIO: 1 << 15,
  NO_OPEN_SUPPORT: 1 << 17,
  PARALLEL_DIROPS: 1 << 18,
  POSIX_ACL: 1 << 20,
  MAX_PAGES: 1 << 22,
  CACHE_SYMLINKS: 1 << 23,
  NO_OPENDIR_SUPPORT: 1 << 24,
  EXPLICIT_INVAL_DATA: 1 << 25,
  HANDLE_KILLPRIV_V2: 1 << 28,
  SETXATTR_EXT: 1 << 29,
} as const

/** Bits of fuse_setattr_in.valid. */
export const SetAttributeFlag = {
  MODE: 1 << 0,
  UID: 1 << 1,
  GID: 1 << 2,
  SIZE: 1 << 3,
  ATIME: 1 << 4,
  MTIME: 1 << 5,
  ATIME_NOW: 1 << 7,
  MTIME_NOW: 1 << 8,
  KILL_SUIDGID: 1 << 11,
} as const

/** Bits of fuse_open_out.open_flags. */
export const OPEN_KEEP_CACHE = 1 << 1
export const OPEN_CACHE_DIRECTORY = 1 << 3

/** fuse_lk_in.lk_flags: of flock(2). */
export const LOCK_IS_FLOCK = 1 << 0

/** fuse_write_in.write_flags. */
export const WRITE_KILL_SUIDGID = 1 << 2
/** fuse_setxattr_in.setxattr_flags. */
export const SETXATTR_ACL_KILL_SGID = 1 << 0

export const IN_HEADER_BYTES = 40
export const OUT_HEADER_BYTES = 16
export const ATTRIBUTES_BYTES = 88
export const ENTRY_BYTES = 40 + ATTRIBUTES_BYTES
export const DIRENT_HEADER_BYTES = 24

/** Content of one WRITE or READ at most. */
export const MAX_IO_BYTES = 1024 * 1024
/** In pages of 4 KiB: the kernel's default limit (/proc/sys/fs/fuse/max_pages_limit). */
export const MAX_IO_PAGES = 256
/** The header and arguments of a request before its content, names, or 64 KiB of extended attribute: room to spare. */
export const EXCHANGE_BYTES = MAX_IO_BYTES + 4096
