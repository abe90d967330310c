/**
 * Numbers of the Linux system calls that node:fs does not export. Those that differ between processors come from
 * node:fs (O_DIRECTORY, O_NOFOLLOW, O_DIRECT) or are chosen by `process.arch`.
 */
import { constants } from 'node:fs'

export const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW } = constants
export const O_PATH = 0o10000000
export const O_TMPFILE = 0o20000000 | O_DIRECTORY

export const { S_IFMT, S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFLNK, S_IFSOCK } = constants
export const S_ISUID = 0o4000
export const S_ISGID = 0o2000
export const S_ISVTX = 0o1000

export const { R_OK, W_OK, X_OK } = constants

export const SEEK_SET = 0
export const SEEK_CUR = 1
export const SEEK_END = 2
export const SEEK_DATA = 3
export const SEEK_HOLE = 4

export const FALLOC_FL_KEEP_SIZE = 0x01
export const FALLOC_FL_PUNCH_HOLE = 0x02
export const FALLOC_FL_COLLAPSE_RANGE = 0x08
export const FALLOC_FL_ZERO_RANGE = 0x10

export const RENAME_NOREPLACE = 1
export const RENAME_EXCHANGE = 2
export const RENAME_WHITEOUT = 4

export const XATTR_CREATE = 1
export const XATTR_REPLACE = 2

/** Kinds of directory entries, as getdents64(2) gives them. */
export const DT = { FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12 } as const

const isArm = process.arch === 'arm64'
export const SYS_getdents64 = isArm ? 61 : 217
export const SYS_setgroups = isArm ? 159 : 116
export const SYS_getgroups = isArm ? 158 : 115
