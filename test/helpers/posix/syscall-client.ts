/**
 * PosixClient by real system calls below a directory: the machine's own file system (the oracle) or a mount served by
 * another process. Never use it on a mount that this process serves: it blocks.
 */
import { libc, check } from './libc.js'
import { actingAs } from './identity.js'
import { SYS_getdents64 } from './constants.js'
import {
  pathBytes,
  type DirectoryEntry,
  type Identity,
  type NewTime,
  type Offset,
  type Path,
  type PosixClient,
  type Stat,
  type StatFs,
} from './client.js'
import { decodeDirectory, decodeStat, decodeStatFs, encodeTimes } from './structs.js'

const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_SYMLINK_FOLLOW = 0x400
const AT_EMPTY_PATH = 0x1000
const AT_EACCESS = 0x200
const STATX_BASIC_STATS = 0x7ff

const DEFAULT_UMASK = 0o022
const EMPTY = Buffer.from('\0')

export interface SyscallClientOptions {
  identity?: Identity
  umask?: number
}

export class SyscallClient implements PosixClient {
  readonly root: Buffer
  readonly maxPathBytes: number
  readonly #options: SyscallClientOptions

  constructor(root: Path, options: SyscallClientOptions = {}) {
    this.root = pathBytes(root)
    this.maxPathBytes = 4095 - this.root.length - 1
    this.#options = options
  }

  as(identity: Identity): SyscallClient {
    return new SyscallClient(this.root, { ...this.#options, identity })
  }

  withUmask(umask: number): SyscallClient {
    return new SyscallClient(this.root, { ...this.#options, umask })
  }

  in(directory: Path): SyscallClient {
    return new SyscallClient(this.#path(directory).subarray(0, -1), this.#options)
  }

  open(path: Path, flags: number, mode = 0o644): number {
    return this.#make('open', () => libc.open(this.#path(path), flags, mode))
  }
  close(fd: number): void {
    check('close', libc.close(fd))
  }
  read(fd: number, length: number): Buffer {
    const buffer = Buffer.alloc(length)
    return buffer.subarray(
      0,
      this.#run('read', () => libc.read(fd, buffer, length)),
    )
  }
  write(fd: number, data: Uint8Array): number {
    return this.#run('write', () => libc.write(fd, data, data.length))
  }
  pread(fd: number, length: number, offset: Offset): Buffer {
    const buffer = Buffer.alloc(length)
    return buffer.subarray(
      0,
      this.#run('pread', () => libc.pread(fd, buffer, length, offset)),
    )
  }
  pwrite(fd: number, data: Uint8Array, offset: Offset): number {
    return this.#run('pwrite', () => libc.pwrite(fd, data, data.length, offset))
  }
  lseek(fd: number, offset: Offset, whence: number): bigint {
    return BigInt(this.#run('lseek', () => libc.lseek(fd, offset, whence)))
  }
  truncate(path: Path, size: Offset): void {
    this.#run('truncate', () => libc.truncate(this.#path(path), size))
  }
  ftruncate(fd: number, size: Offset): void {
    this.#run('ftruncate', () => libc.ftruncate(fd, size))
  }
  fallocate(fd: number, mode: number, offset: Offset, length: Offset): void {
    this.#run('fallocate', () => libc.fallocate(fd, mode, offset, length))
  }
  fsync(fd: number): void {
    this.#run('fsync', () => libc.fsync(fd))
  }
  copyFileRange(source: number, sourceOffset: Offset, target: number, targetOffset: Offset, length: number): number {
    const from = new Uint8Array(BigInt64Array.of(BigInt(sourceOffset)).buffer)
    const to = new Uint8Array(BigInt64Array.of(BigInt(targetOffset)).buffer)
    return this.#run('copy_file_range', () => libc.copyFileRange(source, from, target, to, length, 0))
  }

  stat(path: Path): Stat {
    return this.#stat(AT_FDCWD, this.#path(path), 0)
  }
  lstat(path: Path): Stat {
    return this.#stat(AT_FDCWD, this.#path(path), AT_SYMLINK_NOFOLLOW)
  }
  fstat(fd: number): Stat {
    return this.#stat(fd, EMPTY, AT_EMPTY_PATH)
  }
  access(path: Path, mode: number): void {
    this.#run('access', () => libc.faccessat(AT_FDCWD, this.#path(path), mode, AT_EACCESS))
  }
  utimens(path: Path, atime: NewTime, mtime: NewTime, follow = true): void {
    const times = encodeTimes(atime, mtime)
    const flags = follow ? 0 : AT_SYMLINK_NOFOLLOW
    this.#run('utimensat', () => libc.utimensat(AT_FDCWD, this.#path(path), times, flags))
  }
  futimens(fd: number, atime: NewTime, mtime: NewTime): void {
    const times = encodeTimes(atime, mtime)
    this.#run('futimens', () => libc.futimens(fd, times))
  }
  chmod(path: Path, mode: number): void {
    this.#run('chmod', () => libc.chmod(this.#path(path), mode))
  }
  fchmod(fd: number, mode: number): void {
    this.#run('fchmod', () => libc.fchmod(fd, mode))
  }
  chown(path: Path, uid: number, gid: number): void {
    this.#run('chown', () => libc.fchownat(AT_FDCWD, this.#path(path), uid, gid, 0))
  }
  lchown(path: Path, uid: number, gid: number): void {
    this.#run('lchown', () => libc.fchownat(AT_FDCWD, this.#path(path), uid, gid, AT_SYMLINK_NOFOLLOW))
  }
  fchown(fd: number, uid: number, gid: number): void {
    this.#run('fchown', () => libc.fchownat(fd, EMPTY, uid, gid, AT_EMPTY_PATH))
  }

  link(existing: Path, path: Path): void {
    this.#run('link', () => libc.linkat(AT_FDCWD, this.#path(existing), AT_FDCWD, this.#path(path), 0))
  }
  linkFd(fd: number, path: Path): void {
    const open = Buffer.from(`/proc/self/fd/${fd}\0`)
    this.#run('linkat', () => libc.linkat(AT_FDCWD, open, AT_FDCWD, this.#path(path), AT_SYMLINK_FOLLOW))
  }
  symlink(target: Path, path: Path): void {
    this.#run('symlink', () => libc.symlink(terminated(pathBytes(target)), this.#path(path)))
  }
  readlink(path: Path): Buffer {
    const buffer = Buffer.alloc(4096)
    return buffer.subarray(
      0,
      this.#run('readlink', () => libc.readlink(this.#path(path), buffer, buffer.length)),
    )
  }
  mknod(path: Path, mode: number, major = 0, minor = 0): void {
    // glibc's makedev for numbers below 2^12 and 2^20
    const device = ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
    this.#make('mknod', () => libc.mknod(this.#path(path), mode, device))
  }
  mkdir(path: Path, mode = 0o755): void {
    this.#make('mkdir', () => libc.mkdir(this.#path(path), mode))
  }
  rmdir(path: Path): void {
    this.#run('rmdir', () => libc.rmdir(this.#path(path)))
  }
  unlink(path: Path): void {
    this.#run('unlink', () => libc.unlink(this.#path(path)))
  }
  rename(from: Path, to: Path, flags = 0): void {
    this.#run('rename', () => libc.renameat2(AT_FDCWD, this.#path(from), AT_FDCWD, this.#path(to), flags))
  }

  getdents(fd: number, bytes: number): DirectoryEntry[] {
    const buffer = Buffer.alloc(bytes)
    const filled = this.#run('getdents64', () => libc.syscall3(SYS_getdents64, fd, buffer, bytes))
    return decodeDirectory(buffer.subarray(0, filled))
  }

  getxattr(path: Path, name: string): Buffer {
    const buffer = Buffer.alloc(65536)
    const length = this.#run('getxattr', () => libc.lgetxattr(this.#path(path), text(name), buffer, buffer.length))
    return buffer.subarray(0, length)
  }
  getxattrInto(path: Path, name: string, bytes: number): number {
    return this.#run('getxattr', () => libc.lgetxattr(this.#path(path), text(name), Buffer.alloc(bytes + 1), bytes))
  }
  setxattr(path: Path, name: string, value: Uint8Array, flags = 0): void {
    this.#run('setxattr', () => libc.lsetxattr(this.#path(path), text(name), value, value.length, flags))
  }
  listxattr(path: Path): string[] {
    const buffer = Buffer.alloc(65536)
    const length = this.#run('listxattr', () => libc.llistxattr(this.#path(path), buffer, buffer.length))
    return buffer.toString('latin1', 0, length).split('\0').slice(0, -1)
  }
  removexattr(path: Path, name: string): void {
    this.#run('removexattr', () => libc.lremovexattr(this.#path(path), text(name)))
  }
  statfs(path: Path): StatFs {
    const buffer = Buffer.alloc(256)
    this.#run('statfs', () => libc.statfs(this.#path(path), buffer))
    return decodeStatFs(buffer)
  }

  #stat(at: number, path: Buffer, flags: number): Stat {
    const buffer = Buffer.alloc(256)
    this.#run('stat', () => libc.statx(at, path, flags, STATX_BASIC_STATS, buffer))
    return decodeStat(buffer)
  }

  #run<T extends number | bigint>(call: string, native: () => T): T {
    return actingAs(this.#options.identity, () => check(call, native()))
  }

  /** As #run, under the client's umask. */
  #make(call: string, native: () => number): number {
    const before = libc.umask(this.#options.umask ?? DEFAULT_UMASK)
    try {
      return this.#run(call, native)
    } finally {
      libc.umask(before)
    }
  }

  #path(path: Path): Buffer {
    return Buffer.concat([this.root, SLASH, pathBytes(path), NUL])
  }
}

const SLASH = Buffer.from('/')
const NUL = Buffer.from('\0')

function terminated(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, NUL])
}

function text(name: string): Buffer {
  return Buffer.from(name + '\0', 'latin1')
}
