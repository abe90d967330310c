/** The requests about locks on ranges of files. Ends belong to a range; 2^53 - 1 is the end of every file. */
import {
  bytesOf,
  bytesUpTo,
  fields,
  integer,
  listOf,
  oneOf,
  orElse,
  orNull,
  type Shape,
  yesOrNo,
} from '../engine/codec/shape.js'
import { AteError } from '../engine/error.js'
import { LEASE_BYTES, LOCK_FILE_BYTES, MAX_LOCK_OWNER_BYTES, MAX_LOCKS } from './limits.js'
import { sequenceOf } from './points.js'
import { type Writer, writerFields } from './writer-shape.js'

/** `lease`: the one that the session has; null when it has no lock. */
export type LeaseRequest = Writer & { readonly lease: Uint8Array | null }
/** `isReturning`: the server was started again, and is to be told by `reclaim` what the session has. */
export type Lease = { readonly lease: Uint8Array; readonly isReturning: boolean }
/** `file` and `owner` say nothing to who has not the chain's keys. */
export type LockRange = {
  readonly file: Uint8Array
  readonly owner: Uint8Array
  readonly from: number
  readonly to: number
}
export type LockRequest = LockRange & { readonly isExclusive: boolean }
/** `ticket`: who can wait; 0 does not. `detects`: fails where two would wait for each other. */
export type WaitingLockRequest = LockRequest & { readonly ticket: number; readonly detects: boolean }
/**
 * `held`: others have it. `too-many`: a session has no more locks, or waits for no more. `given-up`: by `unwait`, or another
 * connection of the session. `no-lease`: nothing was asked for on this channel.
 */
export type LockOutcome = 'granted' | 'held' | 'deadlock' | 'given-up' | 'too-many' | 'no-lease'
/** A lock that stands in the way; `isOwn`: of the session that asks. */
export type HeldLock = Omit<LockRequest, 'file'> & { readonly isOwn: boolean }
type Nothing = Readonly<Record<string, never>>

export type LockRequestMap = {
  lease: { request: LeaseRequest; reply: Lease }
  reclaim: { request: { readonly locks: readonly LockRequest[] }; reply: { readonly outcome: LockOutcome } }
  lock: { request: WaitingLockRequest; reply: { readonly outcome: LockOutcome } }
  unlock: { request: LockRange; reply: { readonly outcome: LockOutcome } }
  test: { request: LockRequest; reply: { readonly held: HeldLock | null } }
  unwait: { request: { readonly ticket: number }; reply: Nothing }
}

const lease = bytesOf(LEASE_BYTES)
const owned = { owner: bytesUpTo(MAX_LOCK_OWNER_BYTES), from: sequenceOf, to: sequenceOf }
const range = { file: bytesOf(LOCK_FILE_BYTES), ...owned }
const ticket = integer(0, 0xffff_ffff)
const outcome = fields<{ readonly outcome: LockOutcome }>({
  outcome: oneOf<LockOutcome>('granted', 'held', 'deadlock', 'given-up', 'too-many', 'no-lease'),
})

/** BAD_FORMAT for one that ends before it begins. */
function ordered<T extends { readonly from: number; readonly to: number }>(shape: Shape<T>): Shape<T> {
  return (value, where) => {
    const read = shape(value, where)
    if (read.from > read.to) throw new AteError('BAD_FORMAT', `${where} is a range that ends before it begins`)
    return read
  }
}

const wish = ordered(fields<LockRequest>({ ...range, isExclusive: yesOrNo }))

export const LOCK_REQUESTS: {
  readonly [T in keyof LockRequestMap]: {
    readonly request: Shape<LockRequestMap[T]['request']>
    readonly reply: Shape<LockRequestMap[T]['reply']>
  }
} = {
  lease: {
    request: fields<LeaseRequest>({ ...writerFields, lease: orNull(lease) }),
    reply: fields<Lease>({ lease, isReturning: orElse(yesOrNo, false) }),
  },
  reclaim: {
    request: fields<{ readonly locks: readonly LockRequest[] }>({ locks: listOf(wish, MAX_LOCKS) }),
    reply: outcome,
  },
  lock: {
    request: ordered(fields<WaitingLockRequest>({ ...range, isExclusive: yesOrNo, ticket, detects: yesOrNo })),
    reply: outcome,
  },
  unlock: { request: ordered(fields<LockRange>(range)), reply: outcome },
  test: {
    request: wish,
    reply: fields<{ readonly held: HeldLock | null }>({
      held: orNull(ordered(fields<HeldLock>({ ...owned, isExclusive: yesOrNo, isOwn: yesOrNo }))),
    }),
  },
  unwait: { request: fields<{ readonly ticket: number }>({ ticket }), reply: fields<Nothing>({}) },
}
