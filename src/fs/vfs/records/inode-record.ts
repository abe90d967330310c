/**
 * The record of an inode: version (1), flags (1), xattr flags (1), mode (2), then varints. Equal times are written once
 * (a new file has one time, not four), so a small file's record has some 35 bytes. The decoder believes nothing.
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'
import { MAX_BODY_BYTES } from '../../../engine/limits.js'
import { CONTENT_INLINE, CONTENT_NONE, CONTENT_RECORDS, Inode, XATTR_FLAGS } from '../inodes/inode.js'
import { isMode, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../inodes/modes.js'
import type { Ino } from '../types.js'

const VERSION = 1
const CONTENT_MASK = 3
const ATIME_IS_MTIME = 4
const CTIME_IS_MTIME = 8
const BIRTH_IS_MTIME = 16
const KNOWN_FLAGS = 31

/** PATH_MAX less its NUL. */
export const MAX_TARGET_BYTES = 4095
/** Seconds are kept as zigzag varints, so they have a bit less than 53. */
export const MAX_SECONDS = 2 ** 52 - 1
const MAX_U32 = 0xffff_ffff

const writer = new ByteWriter(8192)

export function encodeInode(inode: Inode): Uint8Array {
  const { mtimeSec, mtimeNsec } = inode
  let flags = inode.content
  if (inode.atimeSec === mtimeSec && inode.atimeNsec === mtimeNsec) flags |= ATIME_IS_MTIME
  if (inode.ctimeSec === mtimeSec && inode.ctimeNsec === mtimeNsec) flags |= CTIME_IS_MTIME
  if (inode.birthSec === mtimeSec && inode.birthNsec === mtimeNsec) flags |= BIRTH_IS_MTIME
  writer.reset().u8(VERSION).u8(flags).u8(inode.xattrs).u16(inode.mode)
  writer.varint(inode.nlink).varint(inode.uid).varint(inode.gid).varint(inode.parent).varint(inode.size)
  writeTime(mtimeSec, mtimeNsec)
  if ((flags & ATIME_IS_MTIME) === 0) writeTime(inode.atimeSec, inode.atimeNsec)
  if ((flags & CTIME_IS_MTIME) === 0) writeTime(inode.ctimeSec, inode.ctimeNsec)
  if ((flags & BIRTH_IS_MTIME) === 0) writeTime(inode.birthSec, inode.birthNsec)
  const type = inode.mode & S_IFMT
  if (type === S_IFREG) {
    writer.varint(inode.allocated)
    if (inode.content === CONTENT_INLINE) {
      writer.varint(inode.body).varint(inode.bodyOffset).varint(inode.bodyLength)
    }
  } else if (type === S_IFLNK) {
    writer.bytes(inode.target ?? new Uint8Array())
  } else if (type === S_IFCHR || type === S_IFBLK) {
    writer.varint(inode.rdev)
  }
  return writer.copy()
}

/** Throws BAD_FORMAT. */
export function decodeInode(ino: Ino, bytes: Uint8Array): Inode {
  const reader = new ByteReader(bytes, 'inode')
  const version = reader.u8('version')
  if (version !== VERSION) throw reader.bad('version', `is ${version}, not ${VERSION}`)
  const flags = reader.u8('flags')
  if ((flags & ~KNOWN_FLAGS) !== 0) throw reader.bad('flags', 'has unknown bits')
  const xattrs = reader.u8('xattr flags')
  if ((xattrs & ~XATTR_FLAGS) !== 0) throw reader.bad('xattr flags', 'has unknown bits')
  const mode = reader.u16('mode')
  if (!isMode(mode)) throw reader.bad('mode', 'is not a mode')
  const inode = new Inode(ino, mode)
  inode.isStored = true
  inode.xattrs = xattrs
  inode.nlink = readU32(reader, 'nlink')
  inode.uid = readU32(reader, 'uid')
  inode.gid = readU32(reader, 'gid')
  inode.parent = reader.varint('parent')
  inode.size = reader.varint('size')
  readTimes(reader, inode, flags)
  readTypePart(reader, inode, flags & CONTENT_MASK)
  reader.done()
  return inode
}

function readTypePart(reader: ByteReader, inode: Inode, content: number): void {
  const type = inode.mode & S_IFMT
  if (type !== S_IFREG && content !== CONTENT_NONE) throw reader.bad('flags', 'give content to what is not a file')
  if (type === S_IFREG) {
    readContent(reader, inode, content)
  } else if (type === S_IFLNK) {
    if (inode.size < 1 || inode.size > MAX_TARGET_BYTES) throw reader.bad('size', 'is no length of a link target')
    // A copy: the record shares its memory with its neighbours.
    inode.target = reader.copy(inode.size, 'target')
  } else if (type === S_IFCHR || type === S_IFBLK) {
    inode.rdev = readU32(reader, 'rdev')
  }
  if (type !== S_IFDIR && type !== S_IFREG && type !== S_IFLNK && inode.size !== 0) throw reader.bad('size', 'is not 0')
}

function readContent(reader: ByteReader, inode: Inode, content: number): void {
  inode.allocated = reader.varint('allocated')
  inode.content = content
  if (content === CONTENT_RECORDS) {
    inode.extentEnd = inode.size
  } else if (content === CONTENT_INLINE) {
    inode.body = reader.varint('body')
    inode.bodyOffset = reader.varint('body offset')
    inode.bodyLength = reader.varint('body length')
    if (inode.bodyLength === 0 || inode.bodyOffset + inode.bodyLength > MAX_BODY_BYTES) {
      throw reader.bad('body length', 'does not fit in a body')
    }
    if (inode.bodyLength > inode.size) throw reader.bad('body length', 'is beyond the size')
    inode.extentEnd = inode.bodyLength
  } else if (content !== CONTENT_NONE) {
    throw reader.bad('flags', 'name no kind of content')
  }
}

function readTimes(reader: ByteReader, inode: Inode, flags: number): void {
  inode.mtimeSec = readSeconds(reader)
  inode.mtimeNsec = readNanoseconds(reader)
  const isAtimeOwn = (flags & ATIME_IS_MTIME) === 0
  inode.atimeSec = isAtimeOwn ? readSeconds(reader) : inode.mtimeSec
  inode.atimeNsec = isAtimeOwn ? readNanoseconds(reader) : inode.mtimeNsec
  const isCtimeOwn = (flags & CTIME_IS_MTIME) === 0
  inode.ctimeSec = isCtimeOwn ? readSeconds(reader) : inode.mtimeSec
  inode.ctimeNsec = isCtimeOwn ? readNanoseconds(reader) : inode.mtimeNsec
  const isBirthOwn = (flags & BIRTH_IS_MTIME) === 0
  inode.birthSec = isBirthOwn ? readSeconds(reader) : inode.mtimeSec
  inode.birthNsec = isBirthOwn ? readNanoseconds(reader) : inode.mtimeNsec
}

function writeTime(sec: number, nsec: number): void {
  writer.varint(sec < 0 ? -2 * sec - 1 : 2 * sec).u32(nsec)
}

function readSeconds(reader: ByteReader): number {
  const zigzag = reader.varint('seconds')
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
}

function readNanoseconds(reader: ByteReader): number {
  const nsec = reader.u32('nanoseconds')
  if (nsec >= 1e9) throw reader.bad('nanoseconds', 'is a second or more')
  return nsec
}

function readU32(reader: ByteReader, field: string): number {
  const value = reader.varint(field)
  if (value > MAX_U32) throw reader.bad(field, 'is 2^32 or more')
  return value
}
