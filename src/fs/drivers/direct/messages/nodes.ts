/**
 * Entries made, linked, removed and renamed. Names are NUL-terminated.
 *
 *     MKNOD     40 u32 mode, 44 u32 rdev, 48 u32 umask, 52 padding, 56 name       -> fuse_entry_out
 *     CREATE    40 u32 flags, 44 u32 mode, 48 u32 umask, 52 u32 open_flags, 56 name
 *                                         -> fuse_entry_out, 144 u64 fh, 152 u32 open_flags, 156 padding
 *     TMPFILE   as CREATE; the name means nothing
 *     MKDIR     40 u32 mode, 44 u32 umask, 48 name                                -> fuse_entry_out
 *     SYMLINK   40 name, target                                                   -> fuse_entry_out
 *     READLINK                                                                    -> the target
 *     LINK      40 u64 oldnodeid, 48 name                                         -> fuse_entry_out
 *     UNLINK    40 name
 *     RMDIR     40 name
 *     RENAME    40 u64 newdir, 48 oldname, newname
 *     RENAME2   40 u64 newdir, 48 u32 flags, 52 padding, 56 oldname, newname
 */
import { constants } from 'node:fs'
import { AteError, errorCode } from '../../../../engine/error.js'
import type { Answer, Attributes } from '../../../vfs/types.js'
import { entryReply } from '../attribute-layout.js'
import type { Exchange } from '../exchange.js'
import { emptyReply, reply, type Handler, type Result } from '../handler.js'
import { OPEN_KEEP_CACHE } from '../protocol.js'
import type { Session } from '../session.js'

const S_IFREG = 0o100000

export const makeNode: Handler = (session, x) => {
  const node = { mode: x.u32(40), rdev: x.u32(44), umask: x.u32(48) }
  return reply(session, x, session.fileSystem.makeNode(x.nodeId, x.name(56), node, x.caller), entryReply)
}

export const create: Handler = (session, x) => {
  const node = { mode: x.u32(44) | S_IFREG, rdev: 0, umask: x.u32(48) }
  const mayExist = session.isShared && (x.u32(40) & constants.O_EXCL) === 0
  try {
    const made = session.fileSystem.makeNode(x.nodeId, x.name(56), node, x.caller)
    const answer = reply(session, x, made, openedEntryReply)
    return typeof answer === 'number' ? answer : answer.catch((error: unknown) => madeElsewhere(error, mayExist))
  } catch (error) {
    return madeElsewhere(error, mayExist)
  }
}

/** Somebody else made it, and the kernel does not know: it looks again and opens what is there. */
function madeElsewhere(error: unknown, mayExist: boolean): never {
  if (!mayExist || errorCode(error) !== 'EXISTS') throw error
  throw new AteError('STALE', 'The name was made elsewhere.', { cause: error })
}

export const makeTemporary: Handler = (session, x) => {
  const made = session.fileSystem.makeTemporary(x.nodeId, x.u32(44) | S_IFREG, x.u32(48), x.caller)
  return reply(session, x, made, openedEntryReply)
}

function openedEntryReply(session: Session, x: Exchange, attributes: Attributes): Result {
  const length = entryReply(session, x, attributes)
  x.setU64(length, session.newHandle())
  x.setU64(length + 8, OPEN_KEEP_CACHE)
  return length + 16
}

export const makeDirectory: Handler = (session, x) => {
  const made = session.fileSystem.makeDirectory(x.nodeId, x.name(48), x.u32(40), x.u32(44), x.caller)
  return reply(session, x, made, entryReply)
}

export const makeSymlink: Handler = (session, x) => {
  const nameEnd = x.endOfString(40)
  const targetEnd = x.endOfString(nameEnd + 1)
  // A copy: the file system may keep it.
  const target = new Uint8Array(x.bytes.subarray(nameEnd + 1, targetEnd))
  const made = session.fileSystem.makeSymlink(x.nodeId, x.nameBetween(40, nameEnd), target, x.caller)
  return reply(session, x, made, entryReply)
}

export const readLink: Handler = (session, x) =>
  reply(session, x, session.fileSystem.readLink(x.nodeId), (_session, exchange, target) => {
    exchange.bytes.set(target, 16)
    return 16 + target.length
  })

export const link: Handler = (session, x) =>
  reply(session, x, session.fileSystem.link(x.u64(40), x.nodeId, x.name(48), x.caller), entryReply)

export const unlink: Handler = (session, x) =>
  reply(session, x, session.fileSystem.unlink(x.nodeId, x.name(40), x.caller), emptyReply)

export const removeDirectory: Handler = (session, x) =>
  reply(session, x, session.fileSystem.removeDirectory(x.nodeId, x.name(40), x.caller), emptyReply)

export const rename: Handler = (session, x) => reply(session, x, renameNames(session, x, 48, 0), emptyReply)

export const renameWithFlags: Handler = (session, x) =>
  reply(session, x, renameNames(session, x, 56, x.u32(48)), emptyReply)

function renameNames(session: Session, x: Exchange, names: number, flags: number): Answer<void> {
  const end = x.endOfString(names)
  const name = x.nameBetween(names, end)
  return session.fileSystem.rename(x.nodeId, name, x.u64(40), x.name(end + 1), flags, x.caller)
}
