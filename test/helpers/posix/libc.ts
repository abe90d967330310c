/**
 * The C library's calls as the tests need them: raw results, errno by name. Every call is made on the calling thread, so
 * that the file-system identity set by `identity.ts` holds for it.
 */
import { constants } from 'node:os'
import koffi from 'koffi'
import { PosixError } from './client.js'

const library = koffi.load(null)

/** A C function of which the caller knows the prototype it gives. */
function bind<A extends unknown[], R = number>(prototype: string): (...args: A) => R {
  const native = library.func(prototype)
  return (...args) => native(...args) as R
}

export type Bytes = Uint8Array | null
type Wide = number | bigint

export const libc = {
  open: bind<[Bytes, number, number]>('int open(const void *path, int flags, uint32_t mode)'),
  close: bind<[number]>('int close(int fd)'),
  read: bind<[number, Bytes, number]>('int64_t read(int fd, void *buffer, size_t length)'),
  write: bind<[number, Bytes, number]>('int64_t write(int fd, const void *buffer, size_t length)'),
  pread: bind<[number, Bytes, number, Wide]>('int64_t pread(int fd, void *buffer, size_t length, int64_t offset)'),
  pwrite: bind<[number, Bytes, number, Wide]>(
    'int64_t pwrite(int fd, const void *buffer, size_t length, int64_t offset)',
  ),
  lseek: bind<[number, Wide, number], Wide>('int64_t lseek(int fd, int64_t offset, int whence)'),
  truncate: bind<[Bytes, Wide]>('int truncate(const void *path, int64_t length)'),
  ftruncate: bind<[number, Wide]>('int ftruncate(int fd, int64_t length)'),
  fallocate: bind<[number, number, Wide, Wide]>('int fallocate(int fd, int mode, int64_t offset, int64_t length)'),
  fsync: bind<[number]>('int fsync(int fd)'),
  copyFileRange: bind<[number, Bytes, number, Bytes, number, number]>(
    'int64_t copy_file_range(int in, void *inOffset, int out, void *outOffset, size_t length, uint32_t flags)',
  ),
  statx: bind<[number, Bytes, number, number, Bytes]>(
    'int statx(int at, const void *path, int flags, uint32_t mask, void *out)',
  ),
  faccessat: bind<[number, Bytes, number, number]>('int faccessat(int at, const void *path, int mode, int flags)'),
  utimensat: bind<[number, Bytes, Bytes, number]>(
    'int utimensat(int at, const void *path, const void *times, int flags)',
  ),
  futimens: bind<[number, Bytes]>('int futimens(int fd, const void *times)'),
  chmod: bind<[Bytes, number]>('int chmod(const void *path, uint32_t mode)'),
  fchmod: bind<[number, number]>('int fchmod(int fd, uint32_t mode)'),
  fchownat: bind<[number, Bytes, number, number, number]>(
    'int fchownat(int at, const void *path, int uid, int gid, int flags)',
  ),
  linkat: bind<[number, Bytes, number, Bytes, number]>(
    'int linkat(int at, const void *from, int at2, const void *to, int flags)',
  ),
  symlink: bind<[Bytes, Bytes]>('int symlink(const void *target, const void *path)'),
  readlink: bind<[Bytes, Bytes, number]>('int64_t readlink(const void *path, void *buffer, size_t length)'),
  mknod: bind<[Bytes, number, Wide]>('int mknod(const void *path, uint32_t mode, uint64_t device)'),
  mkdir: bind<[Bytes, number]>('int mkdir(const void *path, uint32_t mode)'),
  rmdir: bind<[Bytes]>('int rmdir(const void *path)'),
  unlink: bind<[Bytes]>('int unlink(const void *path)'),
  renameat2: bind<[number, Bytes, number, Bytes, number]>(
    'int renameat2(int at, const void *from, int at2, const void *to, uint32_t flags)',
  ),
  lgetxattr: bind<[Bytes, Bytes, Bytes, number]>(
    'int64_t lgetxattr(const void *path, const void *name, void *value, size_t size)',
  ),
  lsetxattr: bind<[Bytes, Bytes, Bytes, number, number]>(
    'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
  ),
  llistxattr: bind<[Bytes, Bytes, number]>('int64_t llistxattr(const void *path, void *list, size_t size)'),
  lremovexattr: bind<[Bytes, Bytes]>('int lremovexattr(const void *path, const void *name)'),
  statfs: bind<[Bytes, Bytes]>('int statfs(const void *path, void *out)'),
  flock: bind<[number, number]>('int flock(int fd, int operation)'),
  fcntl: bind<[number, number, Bytes]>('int fcntl(int fd, int command, void *argument)'),
  mmap: bind<[null, number, number, number, number, Wide], bigint>(
    'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
  ),
  munmap: bind<[bigint, number]>('int munmap(void *address, size_t length)'),
  msync: bind<[bigint, number, number]>('int msync(void *address, size_t length, int flags)'),
  umask: bind<[number]>('uint32_t umask(uint32_t mask)'),
  setfsuid: bind<[number]>('int setfsuid(uint32_t uid)'),
  setfsgid: bind<[number]>('int setfsgid(uint32_t gid)'),
  /** The kernel's own number: the C library's wrappers of some calls act on all threads. */
  syscall: bind<[number, number, Bytes]>('long syscall(long number, long first, void *second)'),
  syscall3: bind<[number, number, Bytes, number]>('long syscall(long number, long first, void *second, long third)'),
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
