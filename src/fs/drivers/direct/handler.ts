/** What a handler of one kind of request is. */
import { Errno } from '../../errno.js'
import type { Answer } from '../../vfs/types.js'
import type { Exchange } from './exchange.js'
import { OUT_HEADER_BYTES } from './protocol.js'
import type { Session } from './session.js'

/** Bytes of the whole reply built in the exchange; or a negative errno; or NO_REPLY. */
export type Result = number

/** Fails with AteError. May answer later: the exchange is its own until then. */
export type Handler = (session: Session, x: Exchange) => Answer<Result>

export interface HandlerEntry {
  readonly handle: Handler
  /** Of the whole request. A shorter one is refused before it is read. */
  readonly minimumBytes: number
  /** Refused on a read-only mount. */
  readonly changes: boolean
}

/** For requests that the kernel wants no answer to. */
export const NO_REPLY = 0

/** Done, nothing to tell. */
export const EMPTY_REPLY = OUT_HEADER_BYTES

export const notImplemented: Handler = () => -Errno.ENOSYS

/** Builds the reply now or when the answer comes; without a closure or a turn of the event loop in the first case. */
export function reply<T>(
  session: Session,
  x: Exchange,
  answer: Answer<T>,
  build: (session: Session, x: Exchange, value: T) => Result,
): Answer<Result> {
  return answer instanceof Promise ? answer.then((value) => build(session, x, value)) : build(session, x, answer)
}

export function emptyReply(): Result {
  return EMPTY_REPLY
}
