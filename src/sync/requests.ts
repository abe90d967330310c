/** The requests of a client: what each asks and is answered. Types, not interfaces: only those are known to be packable. */
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
  text,
  yesOrNo,
} from '../engine/codec/shape.js'
import { CHAIN_ID_BYTES } from '../engine/crypto/chain-keys.js'
import { type CompactionHint, compactionHintOf } from './compaction-hint.js'
import { MAX_ASKED_BODIES, MAX_CHAIN_NAME_LENGTH, MAX_DROP_RANGES, MAX_LISTED_CHAINS } from './limits.js'
import { MAX_SENT_BODY_BYTES, MAX_SENT_KEYRING_BYTES } from './limits.js'
import { LOCK_REQUESTS, type LockRequestMap } from './lock-requests.js'
import { digestOf, type Point, pointOf, sequenceOf } from './points.js'
import { type HeadSigner, publicKeyOf, type Writer, writerFields, writerOfRequest } from './writer-shape.js'

/** Who judges what a chain takes in: its server, or everybody who reads it. */
export type TrustMode = 'centralized' | 'distributed'

type ChainMade = {
  /** 16 bytes. */
  readonly id: Uint8Array
  /** Number of the encryption suite. */
  readonly suite: number
  readonly trust: TrustMode
  /** The file with the slots of its passphrases; null when the chain has none. */
  readonly keyring: Uint8Array | null
}

export type OpenRequest = { readonly chain: string }
/** `writer`: the key of those who may have the turn. */
export type CreateRequest = OpenRequest & ChainMade & { readonly writer: HeadSigner }
/** `compaction`: when clients compact the chain whose users do not say. */
export type Opened = ChainMade &
  Point & { readonly channel: number; readonly signer: HeadSigner; readonly compaction: CompactionHint | null }
/** Behind that name, in their order; '' from the first. */
export type ListRequest = { readonly after: string }
export type ListedChain = { readonly chain: string; readonly sequence: number; readonly bytes: number }
export type ChainList = { readonly chains: readonly ListedChain[]; readonly more: boolean }
export type TurnRequest = Point & Writer & { readonly term: number }
export type TurnGiven = Point & { readonly term: number }
export type TermOf = { readonly term: number }
/** With these the server knows what the batches up to sequence `upTo` drop; 0: it knows no more than before. */
export type DropRequest = TermOf & {
  readonly numbers: readonly (readonly [from: number, to: number])[]
  readonly upTo: number
}
/** What the batches up to this one drop the server has given back. */
export type DropReply = { readonly upTo: number }
/** `none`: batches come without the groups of content, which are asked for one by one. */
export type FollowRequest = Point & { readonly content?: SentContent }
export type SentContent = 'all' | 'none'
/** Groups of content of one batch. */
export type BodiesRequest = { readonly sequence: number; readonly numbers: readonly number[] }
/** The first of them, as they are stored: at least one. Null: it was dropped. */
export type BodiesReply = { readonly bodies: readonly (Uint8Array | null)[] }
export type KeyringRequest = TermOf & { readonly keyring: Uint8Array }
/** `everything`: what who has the turn has not brought yet, too; null without that. */
export type BarrierRequest = { readonly everything?: Writer | null }
type Nothing = Readonly<Record<string, never>>

export type RequestMap = {
  open: { request: OpenRequest; reply: Opened }
  create: { request: CreateRequest; reply: Opened }
  list: { request: ListRequest; reply: ChainList }
  follow: { request: FollowRequest; reply: Point }
  bodies: { request: BodiesRequest; reply: BodiesReply }
  barrier: { request: BarrierRequest; reply: Point }
  turn: { request: TurnRequest; reply: TurnGiven }
  release: { request: TermOf; reply: Nothing }
  drop: { request: DropRequest; reply: DropReply }
  keyring: { request: KeyringRequest; reply: Nothing }
  leave: { request: Nothing; reply: Nothing }
} & LockRequestMap
export type RequestType = keyof RequestMap

const nothing = fields<Nothing>({})
const chain = text(MAX_CHAIN_NAME_LENGTH)
const term = sequenceOf
const keyring = bytesUpTo(MAX_SENT_KEYRING_BYTES)
const point = { sequence: sequenceOf, digest: digestOf }
export const trustModeOf = oneOf<TrustMode>('centralized', 'distributed')
const made = {
  id: bytesOf(CHAIN_ID_BYTES),
  suite: integer(0, 0xffff),
  trust: trustModeOf,
  keyring: orNull(keyring),
}
const opened = fields<Opened>({
  channel: integer(1, 0xffff_ffff),
  ...made,
  ...point,
  signer: publicKeyOf,
  compaction: compactionHintOf,
})
const range: Shape<readonly [number, number]> = (value, where) => {
  const [from, to] = listOf<unknown>((item) => item, 2)(value, where)
  const first = sequenceOf(from, where)
  return [first, integer(first, Number.MAX_SAFE_INTEGER)(to, where)]
}

export const REQUESTS: {
  readonly [T in RequestType]: {
    readonly request: Shape<RequestMap[T]['request']>
    readonly reply: Shape<RequestMap[T]['reply']>
  }
} = {
  open: { request: fields<OpenRequest>({ chain }), reply: opened },
  create: { request: fields<CreateRequest>({ chain, ...made, writer: publicKeyOf }), reply: opened },
  list: {
    request: fields<ListRequest>({ after: orElse(chain, '') }),
    reply: fields<ChainList>({
      chains: listOf(fields<ListedChain>({ chain, sequence: sequenceOf, bytes: sequenceOf }), MAX_LISTED_CHAINS),
      more: yesOrNo,
    }),
  },
  follow: {
    request: fields<FollowRequest>({ ...point, content: orElse(oneOf<SentContent>('all', 'none'), 'all') }),
    reply: pointOf,
  },
  bodies: {
    request: fields<BodiesRequest>({ sequence: sequenceOf, numbers: listOf(sequenceOf, MAX_ASKED_BODIES) }),
    reply: fields<BodiesReply>({ bodies: listOf(orNull(bytesUpTo(MAX_SENT_BODY_BYTES)), MAX_ASKED_BODIES) }),
  },
  barrier: { request: fields<BarrierRequest>({ everything: orElse(orNull(writerOfRequest), null) }), reply: pointOf },
  turn: {
    request: fields<TurnRequest>({ ...writerFields, term, ...point }),
    reply: fields<TurnGiven>({ term, ...point }),
  },
  release: { request: fields<TermOf>({ term }), reply: nothing },
  drop: {
    request: fields<DropRequest>({ term, numbers: listOf(range, MAX_DROP_RANGES), upTo: orElse(sequenceOf, 0) }),
    reply: fields<DropReply>({ upTo: orElse(sequenceOf, 0) }),
  },
  keyring: { request: fields<KeyringRequest>({ term, keyring }), reply: nothing },
  leave: { request: nothing, reply: nothing },
  ...LOCK_REQUESTS,
}

export function isRequestType(type: string): type is RequestType {
  return Object.hasOwn(REQUESTS, type)
}
