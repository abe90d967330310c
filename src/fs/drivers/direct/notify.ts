/**
 * What the kernel must be told when a file changes elsewhere (a chain shared with other machines), so that it forgets what
 * it has cached. Of no use to a local chain, where every change comes through the kernel.
 *
 *     a fuse_out_header whose unique is 0 and whose error is the kind of notification, then
 *     INVAL_INODE  16 u64 ino, 24 i64 off, 32 i64 len     (off < 0: attributes only; len 0: to the end)
 *     INVAL_ENTRY  16 u64 parent, 24 u32 namelen, 28 u32 flags, 32 name, NUL
 *     DELETE       16 u64 parent, 24 u64 child, 32 u32 namelen, 36 padding, 40 name, NUL
 *     INC_EPOCH    nothing                            (since protocol 7.44)
 */
import type { Ino, Name } from '../../vfs/types.js'
import { OUT_HEADER_BYTES } from './protocol.js'

const NOTIFY_INVAL_INODE = 2
const NOTIFY_INVAL_ENTRY = 3
const NOTIFY_DELETE = 6
const NOTIFY_INC_EPOCH = 8

/** Content in [offset, offset + length) and the attributes changed; length 0 means to the end. */
export function inodeChanged(ino: Ino, offset: number, length: number): Uint8Array {
  const bytes = notification(NOTIFY_INVAL_INODE, 24)
  bytes.writeBigUInt64LE(BigInt(ino), 16)
  bytes.writeBigInt64LE(BigInt(offset), 24)
  bytes.writeBigInt64LE(BigInt(length), 32)
  return bytes
}

/** Only the attributes changed. For a directory: its listing, after each change of an entry. */
export function attributesChanged(ino: Ino): Uint8Array {
  return inodeChanged(ino, -1, 0)
}

/** The name means something else now, or nothing. */
export function entryChanged(parent: Ino, name: Name): Uint8Array {
  const bytes = notification(NOTIFY_INVAL_ENTRY, 16 + name.length + 1)
  bytes.writeBigUInt64LE(BigInt(parent), 16)
  bytes.writeUInt32LE(name.length, 24)
  bytes.write(name, 32, 'latin1')
  return bytes
}

/** The entry was removed: also from under those who have it as their working directory, or watch it. */
export function entryDeleted(parent: Ino, name: Name, child: Ino): Uint8Array {
  const bytes = notification(NOTIFY_DELETE, 24 + name.length + 1)
  bytes.writeBigUInt64LE(BigInt(parent), 16)
  bytes.writeBigUInt64LE(BigInt(child), 24)
  bytes.writeUInt32LE(name.length, 32)
  bytes.write(name, 40, 'latin1')
  return bytes
}

/** Any name may mean something else now: none that is remembered counts any more. */
export function namesChanged(): Uint8Array {
  return notification(NOTIFY_INC_EPOCH, 0)
}

function notification(kind: number, length: number): Buffer {
  const bytes = Buffer.alloc(OUT_HEADER_BYTES + length)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeInt32LE(kind, 4)
  return bytes
}
