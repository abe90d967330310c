/**
 * PosixClient over a FileSystem object in this process: the kernel's part (paths, open files, positions, what it refuses
 * before it asks) is emulated, its permission checks are not.
 */
import {
  FALLOC_KEEP_SIZE,
  FALLOC_PUNCH_HOLE,
  FALLOC_ZERO_RANGE,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  ROOT_INO,
} from '../../../src/fs/vfs/types.js'
import type {
  AttributeChange,
  Attributes,
  Caller,
  FileSystem,
  Ino,
  Name,
  TimeChange,
} from '../../../src/fs/vfs/types.js'
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from './constants.js'
import { pathBytes } from './client.js'
import type { DirectoryEntry, Identity, NewTime, Offset, Path, PosixClient, Stat, StatFs } from './client.js'
import { asPosix, failure } from './vfs-failure.js'
import { Handles } from './vfs-handles.js'
import { isDirectory, walk, type Place } from './vfs-walk.js'

const SECOND = 1_000_000_000n
const MAX_XATTR_BYTES = 65_536
const MAX_XATTR_NAME_BYTES = 255
const ALLOCATION_MODES = FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE
const MAX_OFFSET = 0x7fff_ffff_ffff_ffffn

interface VfsClientOptions {
  identity: Identity
  umask: number
  root: Buffer
}

export class VfsClient implements PosixClient {
  readonly maxPathBytes: number
  readonly #fs: FileSystem
  readonly #handles: Handles
  readonly #options: VfsClientOptions

  constructor(fs: FileSystem, handles = new Handles(fs), options: Partial<VfsClientOptions> = {}) {
    this.#fs = fs
    this.#handles = handles
    this.#options = { identity: { uid: 0, gid: 0 }, umask: 0o022, root: Buffer.alloc(0), ...options }
    this.maxPathBytes = 4095 - this.#options.root.length - 1
  }

  as(identity: Identity): VfsClient {
    return new VfsClient(this.#fs, this.#handles, { ...this.#options, identity })
  }
  withUmask(umask: number): VfsClient {
    return new VfsClient(this.#fs, this.#handles, { ...this.#options, umask })
  }
  in(directory: Path): VfsClient {
    return new VfsClient(this.#fs, this.#handles, { ...this.#options, root: this.#full(directory) })
  }

  async open(path: Path, flags: number, mode = 0o644): Promise<number> {
    return asPosix('open', async () => {
      if ((flags & O_TMPFILE) === O_TMPFILE) return this.#openTemporary(path, flags, mode)
      const isExclusive = (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)
      const place = await this.#walk(path, !isExclusive && (flags & O_NOFOLLOW) === 0)
      if (place.found !== undefined) return this.#openFound(place.found, flags, isExclusive)
      if ((flags & O_CREAT) === 0) throw failure('ENOENT', 'open')
      if (place.hasTrailingSlash) throw failure('EISDIR', 'open')
      const node = { mode: S_IFREG | (mode & 0o7777), rdev: 0, umask: this.#options.umask }
      const { ino } = await this.#fs.makeNode(place.parent, place.name, node, this.#caller())
      return this.#handles.open(ino, flags, false)
    })
  }

  async #openFound({ ino, mode }: { ino: Ino; mode: number }, flags: number, isExclusive: boolean): Promise<number> {
    const isWriting = (flags & (O_WRONLY | O_RDWR | O_TRUNC)) !== 0
    if (isExclusive) throw failure('EEXIST', 'open')
    if ((mode & S_IFMT) === S_IFLNK) throw failure('ELOOP', 'open')
    if (isDirectory(mode) && (isWriting || (flags & O_CREAT) !== 0)) throw failure('EISDIR', 'open')
    if (!isDirectory(mode) && (flags & O_DIRECTORY) !== 0) throw failure('ENOTDIR', 'open')
    // Pipes are the kernel's.
    if ([S_IFSOCK, S_IFIFO].includes(mode & S_IFMT)) throw failure('ENXIO', 'open')
    const fd = this.#handles.open(ino, flags, isDirectory(mode))
    if ((flags & O_TRUNC) !== 0) await this.#resize(ino, 0)
    return fd
  }

  async #openTemporary(path: Path, flags: number, mode: number): Promise<number> {
    if ((flags & (O_WRONLY | O_RDWR)) === 0) throw failure('EINVAL', 'open')
    const directory = await this.#ino(path)
    const made = await this.#fs.makeTemporary(directory, S_IFREG | (mode & 0o7777), this.#options.umask, this.#caller())
    return this.#handles.open(made.ino, flags, false)
  }

  async close(fd: number): Promise<void> {
    this.#handles.close(fd)
  }

  async read(fd: number, length: number): Promise<Buffer> {
    const handle = this.#handles.readable(fd, 'read')
    const data = await this.pread(fd, length, handle.position)
    handle.position += data.length
    return data
  }
  async write(fd: number, data: Uint8Array): Promise<number> {
    const handle = this.#handles.writable(fd, 'write')
    const written = await this.pwrite(fd, data, handle.position)
    handle.position = handle.appends ? (await this.fstat(fd)).size : handle.position + written
    return written
  }
  async pread(fd: number, length: number, offset: Offset): Promise<Buffer> {
    const { ino } = this.#handles.readable(fd, 'pread')
    const from = position(offset)
    const target = Buffer.alloc(length)
    // The kernel never asks for what lies beyond the end it knows.
    return asPosix('pread', async () => target.subarray(0, await this.#fs.read(ino, from, length, target, 0)))
  }
  async pwrite(fd: number, data: Uint8Array, offset: Offset): Promise<number> {
    const { ino, appends } = this.#handles.writable(fd, 'pwrite')
    const at = position(offset)
    if (data.length === 0) return 0
    return asPosix('pwrite', async () => {
      const from = appends ? (await this.#fs.getAttributes(ino)).size : at
      return this.#fs.write(ino, from, data, { clearPrivileges: this.#options.identity.uid !== 0 })
    })
  }
  async lseek(fd: number, offset: Offset, whence: number): Promise<bigint> {
    const handle = this.#handles.get(fd, 'lseek')
    const distance = Number(offset)
    return asPosix('lseek', async () => {
      if (whence === SEEK_SET) handle.position = position(offset)
      else if (whence === SEEK_CUR) handle.position = position(handle.position + distance)
      else if (whence === SEEK_END)
        handle.position = position((await this.#fs.getAttributes(handle.ino)).size + distance)
      else handle.position = await this.#fs.seek(handle.ino, distance, whence)
      return BigInt(handle.position)
    })
  }

  async truncate(path: Path, size: Offset): Promise<void> {
    const to = position(size)
    return asPosix('truncate', async () => {
      const { found } = await this.#existing(path, true)
      if (isDirectory(found.mode)) throw failure('EISDIR', 'truncate')
      if ((found.mode & S_IFMT) !== S_IFREG) throw failure('EINVAL', 'truncate')
      await this.#resize(found.ino, to)
    })
  }
  async ftruncate(fd: number, size: Offset): Promise<void> {
    const { ino, canWrite } = this.#handles.get(fd, 'ftruncate')
    if (!canWrite) throw failure('EINVAL', 'ftruncate')
    const to = position(size)
    return asPosix('ftruncate', () => this.#resize(ino, to))
  }
  async fallocate(fd: number, mode: number, offset: Offset, length: Offset): Promise<void> {
    if (BigInt(offset) < 0n || BigInt(length) <= 0n) throw failure('EINVAL', 'fallocate')
    if ((mode & FALLOC_PUNCH_HOLE) !== 0 && (mode & FALLOC_KEEP_SIZE) === 0) throw failure('EOPNOTSUPP', 'fallocate')
    if ((mode & ~ALLOCATION_MODES) !== 0) throw failure('EOPNOTSUPP', 'fallocate')
    const { ino } = this.#handles.writable(fd, 'fallocate')
    if (BigInt(offset) + BigInt(length) > MAX_OFFSET) throw failure('EFBIG', 'fallocate')
    return asPosix('fallocate', () => this.#fs.allocate(ino, mode, Number(offset), Number(length), this.#caller()))
  }
  async fsync(fd: number): Promise<void> {
    this.#handles.get(fd, 'fsync')
    return asPosix('fsync', () => this.#fs.sync())
  }
  async copyFileRange(source: number, from: Offset, target: number, to: Offset, length: number): Promise<number> {
    if ([source, target].some((fd) => this.#handles.get(fd, 'copy_file_range').isDirectory)) {
      throw failure('EISDIR', 'copy_file_range')
    }
    const input = this.#handles.readable(source, 'copy_file_range')
    const output = this.#handles.writable(target, 'copy_file_range')
    if (output.appends) throw failure('EBADF', 'copy_file_range')
    const [start, end] = [Number(from), Number(to)]
    return asPosix('copy_file_range', async () => {
      const { size } = await this.#fs.getAttributes(input.ino)
      const count = Math.max(0, Math.min(length, size - start))
      if (input.ino === output.ino && Math.abs(start - end) < count) throw failure('EINVAL', 'copy_file_range')
      return count === 0 ? 0 : this.#fs.copyRange(input.ino, start, output.ino, end, count, this.#caller())
    })
  }

  async stat(path: Path): Promise<Stat> {
    return asPosix('stat', async () => toStat(await this.#fs.getAttributes(await this.#ino(path))))
  }
  async lstat(path: Path): Promise<Stat> {
    return asPosix('lstat', async () => toStat(await this.#fs.getAttributes(await this.#ino(path, false))))
  }
  async fstat(fd: number): Promise<Stat> {
    const { ino } = this.#handles.get(fd, 'fstat')
    return asPosix('fstat', async () => toStat(await this.#fs.getAttributes(ino)))
  }
  async access(path: Path): Promise<void> {
    await asPosix('access', () => this.#ino(path))
  }
  async utimens(path: Path, atime: NewTime, mtime: NewTime, follow = true): Promise<void> {
    // The kernel does not even look.
    if (atime === 'omit' && mtime === 'omit') return
    await asPosix('utimensat', async () => this.#setTimes(await this.#ino(path, follow), atime, mtime))
  }
  async futimens(fd: number, atime: NewTime, mtime: NewTime): Promise<void> {
    const { ino } = this.#handles.get(fd, 'futimens')
    if (atime === 'omit' && mtime === 'omit') return
    await asPosix('futimens', () => this.#setTimes(ino, atime, mtime))
  }
  async chmod(path: Path, mode: number): Promise<void> {
    await asPosix('chmod', async () => this.#setMode(await this.#ino(path), mode))
  }
  async fchmod(fd: number, mode: number): Promise<void> {
    const { ino } = this.#handles.get(fd, 'fchmod')
    await asPosix('fchmod', () => this.#setMode(ino, mode))
  }
  async chown(path: Path, uid: number, gid: number): Promise<void> {
    await asPosix('chown', async () => this.#setOwner(await this.#ino(path), uid, gid))
  }
  async lchown(path: Path, uid: number, gid: number): Promise<void> {
    await asPosix('lchown', async () => this.#setOwner(await this.#ino(path, false), uid, gid))
  }
  async fchown(fd: number, uid: number, gid: number): Promise<void> {
    const { ino } = this.#handles.get(fd, 'fchown')
    await asPosix('fchown', () => this.#setOwner(ino, uid, gid))
  }

  async link(existing: Path, path: Path): Promise<void> {
    await asPosix('link', async () => {
      const ino = await this.#ino(existing, false)
      const { parent, name } = await this.#vacant(path, 'link')
      await this.#fs.link(ino, parent, name, this.#caller())
    })
  }
  async linkFd(fd: number, path: Path): Promise<void> {
    const { ino, isTemporary } = this.#handles.get(fd, 'linkat')
    await asPosix('linkat', async () => {
      const { parent, name } = await this.#vacant(path, 'linkat')
      const { nlink } = await this.#fs.getAttributes(ino)
      if (nlink === 0 && !isTemporary) throw failure('ENOENT', 'linkat')
      await this.#fs.link(ino, parent, name, this.#caller())
    })
  }
  async symlink(target: Path, path: Path): Promise<void> {
    const bytes = pathBytes(target)
    if (bytes.length === 0) throw failure('ENOENT', 'symlink')
    if (bytes.length > 4095) throw failure('ENAMETOOLONG', 'symlink')
    await asPosix('symlink', async () => {
      const { parent, name } = await this.#vacant(path, 'symlink')
      await this.#fs.makeSymlink(parent, name, bytes, this.#caller())
    })
  }
  async readlink(path: Path): Promise<Buffer> {
    return asPosix('readlink', async () => {
      const { found } = await this.#existing(path, false)
      if ((found.mode & S_IFMT) !== S_IFLNK) throw failure('EINVAL', 'readlink')
      return Buffer.from(await this.#fs.readLink(found.ino))
    })
  }
  async mknod(path: Path, mode: number, major = 0, minor = 0): Promise<void> {
    if ((mode & S_IFMT) === S_IFDIR) throw failure('EPERM', 'mknod')
    const rdev = ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
    const withType = (mode & S_IFMT) === 0 ? mode | S_IFREG : mode
    await asPosix('mknod', async () => {
      const { parent, name } = await this.#vacant(path, 'mknod')
      await this.#fs.makeNode(parent, name, { mode: withType, rdev, umask: this.#options.umask }, this.#caller())
    })
  }
  async mkdir(path: Path, mode = 0o755): Promise<void> {
    await asPosix('mkdir', async () => {
      const { parent, name } = await this.#vacant(path, 'mkdir', true)
      await this.#fs.makeDirectory(parent, name, S_IFDIR | (mode & 0o1777), this.#options.umask, this.#caller())
    })
  }
  async rmdir(path: Path): Promise<void> {
    await asPosix('rmdir', async () => {
      const { parent, name } = await this.#existing(path, false)
      if (name === '.') throw failure('EINVAL', 'rmdir')
      if (name === '..') throw failure('ENOTEMPTY', 'rmdir')
      await this.#fs.removeDirectory(parent, name, this.#caller())
    })
  }
  async unlink(path: Path): Promise<void> {
    await asPosix('unlink', async () => {
      const { parent, name } = await this.#existing(path, false)
      await this.#fs.unlink(parent, name, this.#caller())
    })
  }
  async rename(from: Path, to: Path, flags = 0): Promise<void> {
    await asPosix('rename', async () => {
      if ((flags & RENAME_EXCHANGE) !== 0 && flags !== RENAME_EXCHANGE) throw failure('EINVAL', 'rename')
      const source = await this.#walk(from, false)
      const target = await this.#walk(to, false)
      const isDots = ({ name }: Place): boolean => name === '.' || name === '..'
      if (isDots(source) || isDots(target)) throw failure('EBUSY', 'rename')
      if (source.found === undefined) throw failure('ENOENT', 'rename')
      if (!isDirectory(source.found.mode) && (source.hasTrailingSlash || target.hasTrailingSlash)) {
        throw failure('ENOTDIR', 'rename')
      }
      if (target.found !== undefined) {
        if ((flags & RENAME_NOREPLACE) !== 0) throw failure('EEXIST', 'rename')
        const isAbove = await this.#isWithin(source.parent, target.found.ino)
        if (isAbove) throw failure((flags & RENAME_EXCHANGE) === 0 ? 'ENOTEMPTY' : 'EINVAL', 'rename')
      }
      await this.#fs.rename(source.parent, source.name, target.parent, target.name, flags, this.#caller())
    })
  }

  async getdents(fd: number, bytes: number): Promise<DirectoryEntry[]> {
    const handle = this.#handles.get(fd, 'getdents64')
    if (!handle.isDirectory) throw failure('ENOTDIR', 'getdents64')
    const entries: DirectoryEntry[] = []
    let room = bytes
    await asPosix('getdents64', () =>
      this.#fs.readDirectory(handle.ino, handle.position, (name, ino, type, cookie) => {
        room -= (19 + name.length + 1 + 7) & ~7
        if (room < 0) return false
        entries.push({ name: Buffer.from(name, 'latin1'), ino, type, cookie: BigInt(cookie) })
        return true
      }),
    )
    handle.position = Number(entries.at(-1)?.cookie ?? handle.position)
    return entries
  }

  async getxattr(path: Path, name: string): Promise<Buffer> {
    return asPosix('getxattr', async () => {
      const value = await this.#fs.getExtendedAttribute(await this.#ino(path, false), name)
      if (value === undefined) throw failure('ENODATA', 'getxattr')
      return Buffer.from(value)
    })
  }
  async getxattrInto(path: Path, name: string, bytes: number): Promise<number> {
    const { length } = await this.getxattr(path, name)
    if (bytes > 0 && length > bytes) throw failure('ERANGE', 'getxattr')
    return length
  }
  async setxattr(path: Path, name: string, value: Uint8Array, flags = 0): Promise<void> {
    if (name.length > MAX_XATTR_NAME_BYTES) throw failure('ERANGE', 'setxattr')
    if (value.length > MAX_XATTR_BYTES) throw failure('E2BIG', 'setxattr')
    await asPosix('setxattr', async () => {
      const ino = await this.#changeableAttribute(path, name)
      await this.#fs.setExtendedAttribute(ino, name, value, flags, this.#caller(), false)
    })
  }
  async listxattr(path: Path): Promise<string[]> {
    return asPosix('listxattr', async () => {
      const list = await this.#fs.listExtendedAttributes(await this.#ino(path, false), this.#caller())
      return Buffer.from(list).toString('latin1').split('\0').slice(0, -1)
    })
  }
  async removexattr(path: Path, name: string): Promise<void> {
    await asPosix('removexattr', async () => {
      const ino = await this.#changeableAttribute(path, name)
      await this.#fs.removeExtendedAttribute(ino, name, this.#caller())
    })
  }
  async statfs(path: Path): Promise<StatFs> {
    await asPosix('statfs', () => this.#ino(path))
    return this.#fs.statistics()
  }

  #caller(): Caller {
    return { uid: this.#options.identity.uid, gid: this.#options.identity.gid, pid: process.pid }
  }
  #full(path: Path): Buffer {
    return Buffer.concat([this.#options.root, Buffer.from('/'), pathBytes(path)])
  }
  #walk(path: Path, follow: boolean): Promise<Place> {
    return walk(this.#fs, this.#full(path), follow)
  }
  async #existing(path: Path, follow: boolean): Promise<Place & { found: { ino: Ino; mode: number } }> {
    const place = await this.#walk(path, follow)
    if (place.found === undefined) throw failure('ENOENT', 'walk')
    return { ...place, found: place.found }
  }
  async #ino(path: Path, follow = true): Promise<Ino> {
    return (await this.#existing(path, follow)).found.ino
  }
  /** Where something is to be made. */
  async #vacant(path: Path, call: string, isDirectoryMade = false): Promise<{ parent: Ino; name: Name }> {
    const { parent, name, found, hasTrailingSlash } = await this.#walk(path, false)
    if (found !== undefined) throw failure('EEXIST', call)
    if (hasTrailingSlash && !isDirectoryMade) throw failure('ENOENT', call)
    return { parent, name }
  }

  /** Whether a directory is another one or lies in it. */
  async #isWithin(directory: Ino, ancestor: Ino): Promise<boolean> {
    for (let at = directory; at !== ancestor;) {
      if (at === ROOT_INO) return false
      at = (await this.#fs.lookup(at, '..' as Name))?.ino ?? ROOT_INO
    }
    return true
  }
  async #changeableAttribute(path: Path, name: string): Promise<Ino> {
    const { found } = await this.#existing(path, false)
    const hasUserAttributes = isDirectory(found.mode) || (found.mode & S_IFMT) === S_IFREG
    if (name.startsWith('user.') && !hasUserAttributes) throw failure('EPERM', 'setxattr')
    return found.ino
  }

  async #resize(ino: Ino, size: number): Promise<void> {
    const clearPrivileges = this.#options.identity.uid !== 0
    await this.#fs.setAttributes(ino, { size, clearPrivileges }, this.#caller())
  }
  async #setTimes(ino: Ino, atime: NewTime, mtime: NewTime): Promise<void> {
    const change: AttributeChange = {}
    if (atime !== 'omit') change.atime = toTimeChange(atime)
    if (mtime !== 'omit') change.mtime = toTimeChange(mtime)
    await this.#fs.setAttributes(ino, change, this.#caller())
  }
  async #setMode(ino: Ino, mode: number): Promise<void> {
    const type = (await this.#fs.getAttributes(ino)).mode & S_IFMT
    await this.#fs.setAttributes(ino, { mode: type | (mode & 0o7777) }, this.#caller())
  }
  async #setOwner(ino: Ino, uid: number, gid: number): Promise<void> {
    const change: AttributeChange = {}
    if (uid !== -1) change.uid = uid
    if (gid !== -1) change.gid = gid
    if (!isDirectory((await this.#fs.getAttributes(ino)).mode)) change.clearPrivileges = true
    if (uid !== -1 || gid !== -1) await this.#fs.setAttributes(ino, change, this.#caller())
  }
}

/** An offset as the FileSystem takes it: precise as far as any file can reach. */
function position(offset: Offset): number {
  if (offset < 0) throw failure('EINVAL', 'offset')
  return Number(offset)
}

function toTimeChange(time: bigint | 'now'): TimeChange {
  if (time === 'now') return 'now'
  const nsec = ((time % SECOND) + SECOND) % SECOND
  return { sec: Number((time - nsec) / SECOND), nsec: Number(nsec) }
}

function toStat(attributes: Attributes): Stat {
  const { ino, mode, nlink, uid, gid, rdev, size, blocks } = attributes
  const time = (sec: number, nsec: number): bigint => BigInt(sec) * SECOND + BigInt(nsec)
  return {
    ino,
    mode,
    nlink,
    uid,
    gid,
    size,
    blocks,
    rdevMajor: (rdev >>> 8) & 0xfff,
    rdevMinor: (rdev & 0xff) | ((rdev >>> 12) & ~0xff),
    atime: time(attributes.atimeSec, attributes.atimeNsec),
    mtime: time(attributes.mtimeSec, attributes.mtimeNsec),
    ctime: time(attributes.ctimeSec, attributes.ctimeNsec),
  }
}
