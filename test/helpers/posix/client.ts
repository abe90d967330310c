/**
 * The POSIX calls that the file-system contract is written against, with bytes for names and errors by their errno's
 * name. Two implementations: real system calls below a directory (`syscall-client.ts`) and a FileSystem object in
 * memory with the kernel's part emulated (`vfs-client.ts`). Paths are relative to the client's root.
 */
import type { Answer } from '../../../src/fs/vfs/types.js'

export type Path = string | Buffer
export type Offset = number | bigint

/** As stat(2). Times in nanoseconds since 1970. */
export interface Stat {
  ino: number
  mode: number
  nlink: number
  uid: number
  gid: number
  rdevMajor: number
  rdevMinor: number
  size: number
  /** 512-byte units. */
  blocks: number
  atime: bigint
  mtime: bigint
  ctime: bigint
}

export interface DirectoryEntry {
  name: Buffer
  ino: number
  /** One of DT. */
  type: number
  /** Where a listing goes on behind this entry: for `lseek` on the directory. */
  cookie: bigint
}

export interface StatFs {
  blockBytes: number
  blocks: number
  freeBlocks: number
  availableBlocks: number
  files: number
  freeFiles: number
  maxNameBytes: number
}

/** Nanoseconds since 1970, or what utimensat(2) calls UTIME_NOW and UTIME_OMIT. */
export type NewTime = bigint | 'now' | 'omit'

export interface Identity {
  uid: number
  gid: number
  groups?: readonly number[]
}

/** A system call's failure: `code` is the errno's name. */
export class PosixError extends Error {
  override readonly name = 'PosixError'
  readonly code: string

  constructor(code: string, call: string) {
    super(`${call}: ${code}`)
    this.code = code
  }
}

export interface PosixClient {
  /** Bytes that a path may have here and still reach the file system (4095 less the root's own). */
  readonly maxPathBytes: number

  /** The same files seen by another user. */
  as(identity: Identity): PosixClient
  /** The same files under another umask; 022 otherwise. */
  withUmask(umask: number): PosixClient
  /** A client rooted at a directory in this one. */
  in(directory: Path): PosixClient

  open(path: Path, flags: number, mode?: number): Answer<number>
  close(fd: number): Answer<void>
  read(fd: number, length: number): Answer<Buffer>
  write(fd: number, data: Uint8Array): Answer<number>
  pread(fd: number, length: number, offset: Offset): Answer<Buffer>
  pwrite(fd: number, data: Uint8Array, offset: Offset): Answer<number>
  /** The new position; on a directory `offset` is a cookie. */
  lseek(fd: number, offset: Offset, whence: number): Answer<bigint>
  truncate(path: Path, size: Offset): Answer<void>
  ftruncate(fd: number, size: Offset): Answer<void>
  fallocate(fd: number, mode: number, offset: Offset, length: Offset): Answer<void>
  fsync(fd: number): Answer<void>
  copyFileRange(
    source: number,
    sourceOffset: Offset,
    target: number,
    targetOffset: Offset,
    length: number,
  ): Answer<number>

  stat(path: Path): Answer<Stat>
  lstat(path: Path): Answer<Stat>
  fstat(fd: number): Answer<Stat>
  access(path: Path, mode: number): Answer<void>
  utimens(path: Path, atime: NewTime, mtime: NewTime, follow?: boolean): Answer<void>
  futimens(fd: number, atime: NewTime, mtime: NewTime): Answer<void>
  chmod(path: Path, mode: number): Answer<void>
  fchmod(fd: number, mode: number): Answer<void>
  /** -1 leaves one as it is. */
  chown(path: Path, uid: number, gid: number): Answer<void>
  lchown(path: Path, uid: number, gid: number): Answer<void>
  fchown(fd: number, uid: number, gid: number): Answer<void>

  link(existing: Path, path: Path): Answer<void>
  /** Gives a name to an open file (O_TMPFILE). */
  linkFd(fd: number, path: Path): Answer<void>
  symlink(target: Path, path: Path): Answer<void>
  readlink(path: Path): Answer<Buffer>
  mknod(path: Path, mode: number, major?: number, minor?: number): Answer<void>
  mkdir(path: Path, mode?: number): Answer<void>
  rmdir(path: Path): Answer<void>
  unlink(path: Path): Answer<void>
  rename(from: Path, to: Path, flags?: number): Answer<void>

  /** The next entries of an open directory, as many as fit in `bytes` of the kernel's form; empty at the end. */
  getdents(fd: number, bytes: number): Answer<DirectoryEntry[]>

  getxattr(path: Path, name: string): Answer<Buffer>
  /** As getxattr(2) with a buffer of `bytes`: ERANGE when it does not fit; 0 asks for the length. */
  getxattrInto(path: Path, name: string, bytes: number): Answer<number>
  setxattr(path: Path, name: string, value: Uint8Array, flags?: number): Answer<void>
  listxattr(path: Path): Answer<string[]>
  removexattr(path: Path, name: string): Answer<void>
  statfs(path: Path): Answer<StatFs>
}

export function pathBytes(path: Path): Buffer {
  return typeof path === 'string' ? Buffer.from(path) : path
}
