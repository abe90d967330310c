/** Structures of Linux system calls, as they lie in memory on 64-bit little-endian machines. */
import type { DirectoryEntry, NewTime, Stat, StatFs } from './client.js'

const SECOND = 1_000_000_000n
const UTIME_NOW = 0x3fffffffn
const UTIME_OMIT = 0x3ffffffen

/** struct statx: linux/stat.h */
export function decodeStat(buffer: Buffer): Stat {
  const time = (at: number): bigint => buffer.readBigInt64LE(at) * SECOND + BigInt(buffer.readUInt32LE(at + 8))
  return {
    nlink: buffer.readUInt32LE(16),
    uid: buffer.readUInt32LE(20),
    gid: buffer.readUInt32LE(24),
    mode: buffer.readUInt16LE(28),
    ino: Number(buffer.readBigUInt64LE(32)),
    size: Number(buffer.readBigUInt64LE(40)),
    blocks: Number(buffer.readBigUInt64LE(48)),
    atime: time(64),
    ctime: time(96),
    mtime: time(112),
    rdevMajor: buffer.readUInt32LE(128),
    rdevMinor: buffer.readUInt32LE(132),
  }
}

/** struct timespec[2]: utimensat(2) */
export function encodeTimes(...times: [NewTime, NewTime]): Buffer {
  const buffer = Buffer.alloc(32)
  times.forEach((time, index) => {
    if (typeof time === 'bigint') {
      const nanoseconds = ((time % SECOND) + SECOND) % SECOND
      buffer.writeBigInt64LE((time - nanoseconds) / SECOND, index * 16)
      buffer.writeBigInt64LE(nanoseconds, index * 16 + 8)
    } else {
      buffer.writeBigInt64LE(time === 'now' ? UTIME_NOW : UTIME_OMIT, index * 16 + 8)
    }
  })
  return buffer
}

/** struct linux_dirent64: getdents64(2) */
export function decodeDirectory(buffer: Buffer): DirectoryEntry[] {
  const entries: DirectoryEntry[] = []
  for (let at = 0; at < buffer.length; at += buffer.readUInt16LE(at + 16)) {
    const start = at + 19
    entries.push({
      ino: Number(buffer.readBigUInt64LE(at)),
      cookie: buffer.readBigInt64LE(at + 8),
      type: buffer.readUInt8(at + 18),
      name: Buffer.from(buffer.subarray(start, buffer.indexOf(0, start))),
    })
  }
  return entries
}

/** struct statfs: statfs(2) */
export function decodeStatFs(buffer: Buffer): StatFs {
  const word = (index: number): number => Number(buffer.readBigUInt64LE(index * 8))
  return {
    blockBytes: word(1),
    blocks: word(2),
    freeBlocks: word(3),
    availableBlocks: word(4),
    files: word(5),
    freeFiles: word(6),
    maxNameBytes: word(8),
  }
}
