/**
 * Locks that hold beyond this machine. Where the kernel keeps them itself, none of this is asked.
 *
 *     GETLK, SETLK, SETLKW  40 u64 fh, 48 u64 owner, 56 u64 start, 64 u64 end, 72 u32 type, 76 u32 pid, 80 u32 lk_flags,
 *                           84 padding         -> GETLK: 16 u64 start, 24 u64 end, 32 u32 type, 36 u32 pid
 *     FLUSH                 40 u64 fh, 48 padding, 56 u64 lock_owner
 *     RELEASE               40 u64 fh, 48 u32 flags, 52 u32 release_flags, 56 u64 lock_owner
 *
 * The last byte of a lock is in `end`, 2^63 - 1 for the end of the file. close(2) drops the process's locks of fcntl(2) with
 * FLUSH; whatever was locked by an open file goes with its RELEASE.
 */
import { Errno } from '../../../errno.js'
import type { FileLock, FileLocks, LockAnswer, OwnedRange } from '../../driver.js'
import { malformed, type Exchange } from '../exchange.js'
import { EMPTY_REPLY, type Handler, type Result } from '../handler.js'
import { LOCK_IS_FLOCK, Opcode } from '../protocol.js'
import type { Session } from '../session.js'

const F_RDLCK = 0
const F_WRLCK = 1
const F_UNLCK = 2
/** 2^63 - 1. */
const END_LOW = 0xffff_ffff
const END_HIGH = 0x7fff_ffff
const END = Number.MAX_SAFE_INTEGER

const ANSWERS: Readonly<Record<LockAnswer, Result>> = {
  granted: EMPTY_REPLY,
  held: -Errno.EAGAIN,
  deadlock: -Errno.EDEADLK,
  interrupted: -Errno.EINTR,
  unavailable: -Errno.ENOLCK,
}

export const setLock: Handler = (session, x) => {
  const { locks } = session
  if (locks === undefined) return -Errno.ENOSYS
  const wanted = lockOf(x)
  if (x.u32(72) === F_UNLCK) return unlock(session, locks, wanted)
  const giveUp = new AbortController()
  x.onInterrupt = () => giveUp.abort()
  return lock(
    session,
    locks,
    { fh: x.u64(40), pid: x.u32(76), wanted, waits: x.opcode === Opcode.SETLKW },
    giveUp.signal,
  )
}

export const getLock: Handler = async (session, x) => {
  const { locks, lockOwners } = session
  if (locks === undefined) return -Errno.ENOSYS
  const wanted = lockOf(x)
  const { ino, space } = wanted
  const held = await locks.test(wanted)
  x.clear(16, 40)
  if (held === undefined) {
    x.setU32(32, F_UNLCK)
    return 40
  }
  const by = held.owner === undefined ? undefined : lockOwners.find({ ino, space, owner: held.owner })
  x.setU64(16, held.from)
  x.setU64(24, held.to)
  if (held.to === END) {
    x.setU32(24, END_LOW)
    x.setU32(28, END_HIGH)
  }
  x.setU32(32, held.isExclusive ? F_WRLCK : F_RDLCK)
  // 0: of another machine.
  x.setU32(36, by?.pid ?? 0)
  return 40
}

export const flush: Handler = (session, x) => {
  // Nothing is gathered per handle, so close(2) has nothing to flush; with ENOSYS the kernel stops asking.
  if (session.locks === undefined) return -Errno.ENOSYS
  const owner = { ino: x.nodeId, space: 'fcntl', owner: ownerAt(x, 56) } as const
  if (session.lockOwners.find(owner) === undefined) return EMPTY_REPLY
  return letGo(session, session.locks, [owner])
}

export const release: Handler = (session, x) => {
  const held = session.lockOwners.closed(x.u64(40))
  if (session.locks === undefined || held.length === 0) return EMPTY_REPLY
  return letGo(
    session,
    session.locks,
    held.map(({ lock }) => lock),
  )
}

interface Asked {
  readonly fh: number
  readonly pid: number
  readonly wanted: FileLock
  readonly waits: boolean
}

async function lock(session: Session, locks: FileLocks, asked: Asked, signal: AbortSignal): Promise<Result> {
  const { fh, pid, wanted, waits } = asked
  const before = session.lockOwners.find(wanted)?.lock
  session.lockOwners.note(fh, wanted, pid)
  // flock(2) gives back what it has before it waits for the other kind.
  if (wanted.space === 'flock' && before !== undefined && before.isExclusive !== wanted.isExclusive)
    await locks.unlock(wanted)
  const answer = await locks.lock(wanted, waits, signal)
  if (answer === 'granted') {
    // It may have been forgotten while it was waited for, by a close(2) on another thread.
    session.lockOwners.note(fh, wanted, pid)
    // Whoever has the lock reads what others wrote: the kernel knows by now that it changed.
    await session.told()
  }
  return ANSWERS[answer]
}

async function unlock(session: Session, locks: FileLocks, range: OwnedRange): Promise<Result> {
  if (session.lockOwners.find(range) === undefined) return EMPTY_REPLY
  if (range.from === 0 && range.to === END) session.lockOwners.forget(range)
  return ANSWERS[await locks.unlock(range)]
}

async function letGo(
  { lockOwners }: Session,
  locks: FileLocks,
  owners: readonly Pick<OwnedRange, 'ino' | 'space' | 'owner'>[],
): Promise<Result> {
  for (const owner of owners) lockOwners.forget(owner)
  await Promise.all(owners.map((owner) => locks.unlock({ ...owner, from: 0, to: END })))
  return EMPTY_REPLY
}

function lockOf(x: Exchange): FileLock {
  const type = x.u32(72)
  if (type > F_UNLCK) throw malformed('a lock of an unknown type')
  const from = x.position(56)
  const to = Math.min(x.u64(64), END)
  if (from > to) throw malformed('a lock that ends before it begins')
  const space = (x.u32(80) & LOCK_IS_FLOCK) === 0 ? 'fcntl' : 'flock'
  return { ino: x.nodeId, space, owner: ownerAt(x, 48), from, to, isExclusive: type === F_WRLCK }
}

/** All 64 bits count. */
function ownerAt(x: Exchange, offset: number): string {
  return x.bytes.toString('hex', offset, offset + 8)
}
