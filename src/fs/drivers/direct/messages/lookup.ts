/**
 * Finding entries, and the kernel's references to what it found.
 *
 *     LOOKUP        40 name                                -> fuse_entry_out
 *     FORGET        40 u64 nlookup                         -> nothing
 *     BATCH_FORGET  40 u32 count, 44 u32 dummy,
 *                   48 count times { u64 nodeid, u64 nlookup }   -> nothing
 */
import type { Answer, Attributes } from '../../../vfs/types.js'
import { absentEntryReply, entryReply } from '../attribute-layout.js'
import type { Exchange } from '../exchange.js'
import { NO_REPLY, reply, type Handler, type Result } from '../handler.js'
import type { Session } from '../session.js'

const FORGET_ONE_BYTES = 16

export const lookup: Handler = (session, x) => {
  const wait = session.refresh()
  return wait === undefined ? lookupNow(session, x) : wait.then(() => lookupNow(session, x))
}

function lookupNow(session: Session, x: Exchange): Answer<Result> {
  const name = x.name(40)
  const { fileSystem } = session
  // Of '.' the kernel asks by a handle that it was given long ago (open_by_handle_at, NFS), and of any kind of inode.
  const found = name === '.' ? fileSystem.getAttributes(x.nodeId) : fileSystem.lookup(x.nodeId, name)
  return reply(session, x, found, lookupReply)
}

function lookupReply(session: Session, x: Exchange, attributes: Attributes | undefined): Result {
  return attributes === undefined ? absentEntryReply(session, x) : entryReply(session, x, attributes)
}

export const forget: Handler = (session, x) => {
  session.fileSystem.release(x.nodeId, x.u64(40))
  return NO_REPLY
}

export const batchForget: Handler = (session, x) => {
  const count = Math.min(x.u32(40), Math.floor((x.length - 48) / FORGET_ONE_BYTES))
  for (let i = 0; i < count; i++) {
    const at = 48 + i * FORGET_ONE_BYTES
    session.fileSystem.release(x.u64(at), x.u64(at + 8))
  }
  return NO_REPLY
}
