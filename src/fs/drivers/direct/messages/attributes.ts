/**
 * Attributes of inodes and of the file system.
 *
 *     GETATTR  40 u32 flags, 44 u32 dummy, 48 u64 fh  -> fuse_attr_out
 *     SETATTR  40 u32 valid, 44 padding, 48 u64 fh, 56 u64 size, 64 u64 lock_owner,
 *              72 u64 atime, 80 u64 mtime, 88 u64 ctime, 96 u32 atimensec, 100 u32 mtimensec, 104 u32 ctimensec,
 *              108 u32 mode, 112 unused, 116 u32 uid, 120 u32 gid, 124 unused  -> fuse_attr_out
 *     STATFS   -> 16 u64 blocks, 24 u64 bfree, 32 u64 bavail, 40 u64 files, 48 u64 ffree,
 *              56 u32 bsize, 60 u32 namelen, 64 u32 frsize, 68 padding, 72 u32 spare[6]
 */
import type { AttributeChange } from '../../../vfs/types.js'
import { attributesReply } from '../attribute-layout.js'
import type { Exchange } from '../exchange.js'
import { reply, type Handler } from '../handler.js'
import { SetAttributeFlag } from '../protocol.js'
import { storedOwner } from '../shown-owner.js'

export const getAttributes: Handler = (session, x) =>
  reply(session, x, session.fileSystem.getAttributes(x.nodeId), attributesReply)

export const setAttributes: Handler = (session, x) => {
  const change = readChange(x)
  storedOwner(session.shown, change)
  if (change.size !== undefined) session.demandLocks(x.nodeId)
  return reply(session, x, session.fileSystem.setAttributes(x.nodeId, change, x.caller), attributesReply)
}

function readChange(x: Exchange): AttributeChange {
  const valid = x.u32(40)
  const change: AttributeChange = {}
  if (valid & SetAttributeFlag.MODE) change.mode = x.u32(108)
  if (valid & SetAttributeFlag.UID) change.uid = x.u32(116)
  if (valid & SetAttributeFlag.GID) change.gid = x.u32(120)
  if (valid & SetAttributeFlag.SIZE) change.size = x.position(56)
  if (valid & SetAttributeFlag.ATIME_NOW) change.atime = 'now'
  else if (valid & SetAttributeFlag.ATIME) change.atime = { sec: x.i64(72), nsec: x.u32(96) }
  if (valid & SetAttributeFlag.MTIME_NOW) change.mtime = 'now'
  else if (valid & SetAttributeFlag.MTIME) change.mtime = { sec: x.i64(80), nsec: x.u32(100) }
  if (valid & SetAttributeFlag.KILL_SUIDGID) change.clearPrivileges = true
  return change
}

export const statistics: Handler = (session, x) => {
  const s = session.fileSystem.statistics()
  x.clear(16, 96)
  x.setU64(16, s.blocks)
  x.setU64(24, s.freeBlocks)
  x.setU64(32, s.availableBlocks)
  x.setU64(40, s.files)
  x.setU64(48, s.freeFiles)
  x.setU32(56, s.blockBytes)
  x.setU32(60, s.maxNameBytes)
  x.setU32(64, s.blockBytes)
  return 96
}
