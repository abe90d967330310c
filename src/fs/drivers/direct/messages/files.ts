/**
 * Contents of files. The node id says which file; `fh` tells only by which open file locks were made.
 *
 *     OPEN       40 u32 flags, 44 u32 open_flags          -> 16 u64 fh, 24 u32 open_flags, 28 padding
 *     FLUSH      40 u64 fh, 48 padding, 56 u64 lock_owner
 *     RELEASE    40 u64 fh, 48 u32 flags, 52 u32 release_flags, 56 u64 lock_owner
 *     READ       40 u64 fh, 48 u64 offset, 56 u32 size, 60 u32 read_flags, 64 u64 lock_owner, 72 u32 flags  -> content
 *     WRITE      40 u64 fh, 48 u64 offset, 56 u32 size, 60 u32 write_flags, 64 u64 lock_owner, 72 u32 flags,
 *                76 padding, 80 content                   -> 16 u32 size, 20 padding
 *     FALLOCATE  40 u64 fh, 48 u64 offset, 56 u64 length, 64 u32 mode
 *     LSEEK      40 u64 fh, 48 u64 offset, 56 u32 whence  -> 16 u64 offset
 *     COPY_FILE_RANGE  40 u64 fh_in, 48 u64 off_in, 56 u64 nodeid_out, 64 u64 fh_out, 72 u64 off_out, 80 u64 len,
 *                88 u64 flags                             -> 16 u32 size, 20 padding
 */
import { constants } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Errno } from '../../../errno.js'
import { type Answer, ROOT_INO, type WriteOptions } from '../../../vfs/types.js'
import { malformed, type Exchange } from '../exchange.js'
import { EMPTY_REPLY, emptyReply, reply, type Handler, type Result } from '../handler.js'
import { MAX_IO_BYTES, Opcode, OPEN_CACHE_DIRECTORY, OPEN_KEEP_CACHE, WRITE_KILL_SUIDGID } from '../protocol.js'
import type { Session } from '../session.js'

/** The reply's size has 32 bits; the kernel itself never asks for more than 2 GiB less a page. */
const MAX_COPY_BYTES = 0x7fff_f000
const WRITE_DATA = 80
/** How long the listing of the root waits for what others changed. */
const ROOT_WAIT_MS = 1000

export const open: Handler = (session, x) => {
  // Answered once with ENOSYS, the kernel never asks again: neither OPEN nor RELEASE, and it keeps its cache.
  if (!session.answersOpen) return -Errno.ENOSYS
  return openedReply(session, x, OPEN_KEEP_CACHE)
}

export const openDirectory: Handler = (session, x) => {
  if (!session.answersOpen) return -Errno.ENOSYS
  return openedReply(session, x, session.asksOthers ? 0 : OPEN_KEEP_CACHE | OPEN_CACHE_DIRECTORY)
}

/** The kernel begins anew with what it caches where others have changed it. */
function openedReply(session: Session, x: Exchange, flags: number): Answer<Result> {
  const build = (): Result => {
    x.setU64(16, session.newHandle())
    x.setU64(24, session.isCacheValid(x.nodeId) ? flags : 0)
    return 32
  }
  const wait = x.opcode === Opcode.OPENDIR && x.nodeId === ROOT_INO ? forRoot(session.refresh()) : session.refresh()
  return wait === undefined ? build() : wait.then(build)
}

/** Whatever is away, the root is listed. */
function forRoot(wait: Promise<void> | undefined): Promise<void> | undefined {
  return wait && Promise.race([wait.catch(() => undefined), sleep(ROOT_WAIT_MS, undefined, { ref: false })])
}

export const read: Handler = (session, x) => {
  const length = x.u32(56)
  if (length > MAX_IO_BYTES) throw malformed('a READ of more than was agreed')
  const offset = x.u64(48)
  if (offset > Number.MAX_SAFE_INTEGER) return EMPTY_REPLY
  session.demandLocks(x.nodeId)
  return reply(session, x, session.fileSystem.read(x.nodeId, offset, length, x.bytes, 16), contentReply)
}

function contentReply(_session: Session, _x: Exchange, length: number): Result {
  return 16 + length
}

export const write: Handler = (session, x) => {
  const length = x.u32(56)
  if (WRITE_DATA + length > x.length) throw malformed('a WRITE without all of its content')
  session.demandLocks(x.nodeId)
  const data = x.bytes.subarray(WRITE_DATA, WRITE_DATA + length)
  const options = (x.u32(60) & WRITE_KILL_SUIDGID) === 0 ? KEEP_PRIVILEGES : CLEAR_PRIVILEGES
  if (session.isShared && (x.u32(72) & constants.O_APPEND) !== 0) return append(session, x, data, options)
  return reply(session, x, session.fileSystem.write(x.nodeId, x.position(48), data, options), sizeReply)
}

/** The kernel takes the end of the file from what it remembers: where others append too it may lie further on by now. */
function append(session: Session, x: Exchange, data: Uint8Array, options: WriteOptions): Answer<Result> {
  const ino = x.nodeId
  const expected = x.position(48)
  const onAppended = (offset: number): void => {
    if (offset === expected) return
    const content = { from: Math.min(offset, expected), to: Number.MAX_SAFE_INTEGER }
    session.invalidate({ entries: [], directories: [], inodes: [{ ino, content }] })
  }
  return reply(session, x, session.fileSystem.write(ino, expected, data, { ...options, onAppended }), sizeReply)
}

const KEEP_PRIVILEGES = { clearPrivileges: false }
const CLEAR_PRIVILEGES = { clearPrivileges: true }

function sizeReply(_session: Session, x: Exchange, length: number): Result {
  x.setU32(16, length)
  x.setU32(20, 0)
  return 24
}

/** FSYNC and FSYNCDIR, SYNCFS. The log has one order: what was answered before is durable with it, whichever file. */
export const sync: Handler = (session, x) => {
  session.demandLocks(x.nodeId)
  return reply(session, x, session.fileSystem.sync(), emptyReply)
}

export const allocate: Handler = (session, x) => {
  session.demandLocks(x.nodeId)
  const [mode, offset, length] = [x.u32(64), x.position(48), x.position(56)]
  return reply(session, x, session.fileSystem.allocate(x.nodeId, mode, offset, length, x.caller), emptyReply)
}

export const seek: Handler = (session, x) =>
  reply(session, x, session.fileSystem.seek(x.nodeId, x.position(48), x.u32(56)), (_session, exchange, offset) => {
    exchange.setU64(16, offset)
    return 24
  })

export const copyRange: Handler = (session, x) => {
  const length = Math.min(x.u64(80), MAX_COPY_BYTES)
  const { fileSystem } = session
  session.demandLocks(x.nodeId)
  session.demandLocks(x.u64(56))
  const copied = fileSystem.copyRange(x.nodeId, x.position(48), x.u64(56), x.position(72), length, x.caller)
  return reply(session, x, copied, sizeReply)
}
