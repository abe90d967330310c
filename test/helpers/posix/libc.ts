/**
 * The C library's calls as the tests need them: raw results, errno by name. Every call is made on the calling thread, so
 * that the file-system identity set by `identity.ts` holds for it.
 */
import { constants } from 'node:os'
import koffi from 'koffi'
import { PosixError } from './client.js'

const library = koffi.load(null)

export type Bytes = Uint8Array | null
/** A 64-bit number. */
type Wide = number | bigint

interface Libc {
  open: (path: Bytes, flags: number, mode: number) => number
  close: (fd: number) => number
  read: (fd: number, buffer: Bytes, length: number) => number
  write: (fd: number, buffer: Bytes, length: number) => number
  pread: (fd: number, buffer: Bytes, length: number, offset: Wide) => number
  pwrite: (fd: number, buffer: Bytes, length: number, offset: Wide) => number
  lseek: (fd: number, offset: Wide, whence: number) => Wide
  truncate: (path: Bytes, length: Wide) => number
  ftruncate: (fd: number, length: Wide) => number
  fallocate: (fd: number, mode: number, offset: Wide, length: Wide) => number
  fsync: (fd: number) => number
  copyFileRange: (
    source: number,
    inOffset: Bytes,
    target: number,
    outOffset: Bytes,
    length: number,
    flags: number,
  ) => number
  statx: (at: number, path: Bytes, flags: number, mask: number, out: Bytes) => number
  faccessat: (at: number, path: Bytes, mode: number, flags: number) => number
  utimensat: (at: number, path: Bytes, times: Bytes, flags: number) => number
  futimens: (fd: number, times: Bytes) => number
  chmod: (path: Bytes, mode: number) => number
  fchmod: (fd: number, mode: number) => number
  fchownat: (at: number, path: Bytes, uid: number, gid: number, flags: number) => number
  linkat: (at: number, from: Bytes, at2: number, to: Bytes, flags: number) => number
  symlink: (target: Bytes, path: Bytes) => number
  readlink: (path: Bytes, buffer: Bytes, length: number) => number
  mknod: (path: Bytes, mode: number, device: Wide) => number
  mkdir: (path: Bytes, mode: number) => number
  rmdir: (path: Bytes) => number
  unlink: (path: Bytes) => number
  renameat2: (at: number, from: Bytes, at2: number, to: Bytes, flags: number) => number
  lgetxattr: (path: Bytes, name: Bytes, value: Bytes, size: number) => number
  lsetxattr: (path: Bytes, name: Bytes, value: Bytes, size: number, flags: number) => number
  llistxattr: (path: Bytes, list: Bytes, size: number) => number
  lremovexattr: (path: Bytes, name: Bytes) => number
  statfs: (path: Bytes, out: Bytes) => number
  flock: (fd: number, operation: number) => number
  fcntl: (fd: number, command: number, argument: Bytes) => number
  mmap: (address: null, length: number, protection: number, flags: number, fd: number, offset: Wide) => bigint
  munmap: (address: bigint, length: number) => number
  msync: (address: bigint, length: number, flags: number) => number
  umask: (mask: number) => number
  setfsuid: (uid: number) => number
  setfsgid: (gid: number) => number
  /** The kernel's own number: the C library's wrappers of some calls act on all threads. */
  syscall: (number: number, first: number, second: Bytes) => number
  syscall3: (number: number, first: number, second: Bytes, third: number) => number
}

export const libc: Libc = {
  open: library.func('int open(const void *path, int flags, uint32_t mode)'),
  close: library.func('int close(int fd)'),
  read: library.func('int64_t read(int fd, void *buffer, size_t length)'),
  write: library.func('int64_t write(int fd, const void *buffer, size_t length)'),
  pread: library.func('int64_t pread(int fd, void *buffer, size_t length, int64_t offset)'),
  pwrite: library.func('int64_t pwrite(int fd, const void *buffer, size_t length, int64_t offset)'),
  lseek: library.func('int64_t lseek(int fd, int64_t offset, int whence)'),
  truncate: library.func('int truncate(const void *path, int64_t length)'),
  ftruncate: library.func('int ftruncate(int fd, int64_t length)'),
  fallocate: library.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)'),
  fsync: library.func('int fsync(int fd)'),
  copyFileRange: library.func(
    'int64_t copy_file_range(int in, void *inOffset, int out, void *outOffset, size_t length, uint32_t flags)',
  ),
  statx: library.func('int statx(int at, const void *path, int flags, uint32_t mask, void *out)'),
  faccessat: library.func('int faccessat(int at, const void *path, int mode, int flags)'),
  utimensat: library.func('int utimensat(int at, const void *path, const void *times, int flags)'),
  futimens: library.func('int futimens(int fd, const void *times)'),
  chmod: library.func('int chmod(const void *path, uint32_t mode)'),
  fchmod: library.func('int fchmod(int fd, uint32_t mode)'),
  fchownat: library.func('int fchownat(int at, const void *path, int uid, int gid, int flags)'),
  linkat: library.func('int linkat(int at, const void *from, int at2, const void *to, int flags)'),
  symlink: library.func('int symlink(const void *target, const void *path)'),
  readlink: library.func('int64_t readlink(const void *path, void *buffer, size_t length)'),
  mknod: library.func('int mknod(const void *path, uint32_t mode, uint64_t device)'),
  mkdir: library.func('int mkdir(const void *path, uint32_t mode)'),
  rmdir: library.func('int rmdir(const void *path)'),
  unlink: library.func('int unlink(const void *path)'),
  renameat2: library.func('int renameat2(int at, const void *from, int at2, const void *to, uint32_t flags)'),
  lgetxattr: library.func('int64_t lgetxattr(const void *path, const void *name, void *value, size_t size)'),
  lsetxattr: library.func(
    'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
  ),
  llistxattr: library.func('int64_t llistxattr(const void *path, void *list, size_t size)'),
  lremovexattr: library.func('int lremovexattr(const void *path, const void *name)'),
  statfs: library.func('int statfs(const void *path, void *out)'),
  flock: library.func('int flock(int fd, int operation)'),
  fcntl: library.func('int fcntl(int fd, int command, void *argument)'),
  mmap: library.func('void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)'),
  munmap: library.func('int munmap(void *address, size_t length)'),
  msync: library.func('int msync(void *address, size_t length, int flags)'),
  umask: library.func('uint32_t umask(uint32_t mask)'),
  setfsuid: library.func('int setfsuid(uint32_t uid)'),
  setfsgid: library.func('int setfsgid(uint32_t gid)'),
  syscall: library.func('long syscall(long number, long first, void *second)'),
  syscall3: library.func('long syscall(long number, long first, void *second, long third)'),
}

/** Memory at an address, as bytes. */
export function memoryAt(address: bigint, length: number): Uint8Array {
  return new Uint8Array(koffi.view(address, length))
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
// Two names share a number on Linux; the tests use the first of each.
errnoNames.set(constants.errno.EAGAIN, 'EAGAIN')
errnoNames.set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP')

export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`
}

/** The result of a call unless it failed. Must be given the result at once: errno is the last call's. */
export function check<T extends number | bigint>(call: string, result: T): T {
  if (result < 0) throw new PosixError(errnoName(koffi.errno()), call)
  return result
}
