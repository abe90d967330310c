/**
 * Attributes in replies.
 *
 *     fuse_attr (88)          fuse_entry_out (128)         fuse_attr_out (104)
 *      0 u64 ino               0 u64 nodeid                 0 u64 attr_valid, seconds
 *      8 u64 size              8 u64 generation             8 u32 attr_valid_nsec
 *     16 u64 blocks           16 u64 entry_valid, seconds  12 u32 dummy
 *     24 u64 atime            24 u64 attr_valid, seconds   16 fuse_attr
 *     32 u64 mtime            32 u32 entry_valid_nsec
 *     40 u64 ctime            36 u32 attr_valid_nsec
 *     48 u32 atimensec        40 fuse_attr
 *     52 u32 mtimensec
 *     56 u32 ctimensec
 *     60 u32 mode
 *     64 u32 nlink
 *     68 u32 uid
 *     72 u32 gid
 *     76 u32 rdev
 *     80 u32 blksize
 *     84 u32 flags
 *
 * The generation is always 0: an inode number is never used twice.
 */
import type { Attributes } from '../../vfs/types.js'
import type { Exchange } from './exchange.js'
import { ATTRIBUTES_BYTES, ENTRY_BYTES, OUT_HEADER_BYTES } from './protocol.js'
import type { Session } from './session.js'
import { shownGid, shownMode, shownUid } from './shown-owner.js'

/** st_blksize: what stdio and the like write at once. Each write(2) is a message, so larger than a page. */
const PREFERRED_IO_BYTES = 64 * 1024

function writeAttributes(session: Session, x: Exchange, at: number, attributes: Attributes): void {
  x.setU64(at, attributes.ino)
  x.setU64(at + 8, attributes.size)
  x.setU64(at + 16, attributes.blocks)
  x.setU64(at + 24, attributes.atimeSec)
  x.setU64(at + 32, attributes.mtimeSec)
  x.setU64(at + 40, attributes.ctimeSec)
  x.setU32(at + 48, attributes.atimeNsec)
  x.setU32(at + 52, attributes.mtimeNsec)
  x.setU32(at + 56, attributes.ctimeNsec)
  x.setU32(at + 60, shownMode(session.shown, attributes))
  x.setU32(at + 64, attributes.nlink)
  x.setU32(at + 68, shownUid(session.shown, attributes))
  x.setU32(at + 72, shownGid(session.shown, attributes))
  x.setU32(at + 76, attributes.rdev)
  x.setU32(at + 80, PREFERRED_IO_BYTES)
  x.setU32(at + 84, 0)
}

/** Writes a fuse_entry_out. The kernel counts it as one lookup, so the inode is retained. */
export function writeEntry(session: Session, x: Exchange, at: number, attributes: Attributes): void {
  x.setU64(at, attributes.ino)
  x.setU64(at + 8, 0)
  x.setU64(at + 16, session.cacheSeconds)
  x.setU64(at + 24, session.cacheSeconds)
  x.setU64(at + 32, 0)
  writeAttributes(session, x, at + 40, attributes)
  session.fileSystem.retain(attributes.ino)
}

/** A whole reply that is an entry. */
export function entryReply(session: Session, x: Exchange, attributes: Attributes): number {
  writeEntry(session, x, OUT_HEADER_BYTES, attributes)
  return OUT_HEADER_BYTES + ENTRY_BYTES
}

/** A whole reply: there is no such entry, and the kernel may remember that (node id 0 with a validity). */
export function absentEntryReply(session: Session, x: Exchange): number {
  x.clear(OUT_HEADER_BYTES, OUT_HEADER_BYTES + ENTRY_BYTES)
  x.setU64(OUT_HEADER_BYTES + 16, session.cacheSeconds)
  return OUT_HEADER_BYTES + ENTRY_BYTES
}

/** A whole reply that is attributes. */
export function attributesReply(session: Session, x: Exchange, attributes: Attributes): number {
  x.setU64(OUT_HEADER_BYTES, session.cacheSeconds)
  x.setU64(OUT_HEADER_BYTES + 8, 0)
  writeAttributes(session, x, OUT_HEADER_BYTES + 16, attributes)
  return OUT_HEADER_BYTES + 16 + ATTRIBUTES_BYTES
}
