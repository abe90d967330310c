/** What every message has around its body: `[channel, kind, number, type, body]`. */
import type { Packable } from '../engine/codec/message-pack.js'
import { integer, text } from '../engine/codec/shape.js'
import { AteError } from '../engine/error.js'
import { MAX_TYPE_LENGTH } from './limits.js'

const KINDS = ['request', 'reply', 'failure', 'push'] as const
export type MessageKind = (typeof KINDS)[number]

export interface Message {
  /** 0 is the connection itself. */
  readonly channel: number
  readonly kind: MessageKind
  /** Of the request, in its reply or failure too; 0 for a push. */
  readonly number: number
  readonly type: string
  /** Of any shape. */
  readonly body: unknown
}

const channelOf = integer(0, 0xffff_ffff)
const kindOf = integer(0, KINDS.length - 1)
const numberOf = integer(0, Number.MAX_SAFE_INTEGER)
const typeOf = text(MAX_TYPE_LENGTH)

export function encodeMessage({ channel, kind, number, type }: Omit<Message, 'body'>, body: Packable): Packable {
  return [channel, KINDS.indexOf(kind), number, type, body]
}

/** BAD_FORMAT. What follows the body is for later versions. */
export function decodeMessage(value: unknown): Message {
  if (!Array.isArray(value)) throw new AteError('BAD_FORMAT', 'message is not a list')
  const list: readonly unknown[] = value
  const [channel, kindNumber, number, type, body] = list
  const kind = KINDS[kindOf(kindNumber, 'message kind')] ?? 'push'
  return {
    channel: channelOf(channel, 'message channel'),
    kind,
    number: numberOf(number, 'message number'),
    type: typeOf(type, 'message type'),
    body,
  }
}
