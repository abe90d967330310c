/** What either side says without being asked. */
import { bytesOf, bytesUpTo, fields, integer, orElse, type Shape, text, yesOrNo } from '../engine/codec/shape.js'
import { SIGNATURE_BYTES } from '../engine/crypto/signature.js'
import { MAX_FAILURE_LENGTH, MAX_PART_BYTES, MAX_SENT_KEYRING_BYTES, MAX_TYPE_LENGTH } from './limits.js'
import { digestOf, type Point, pointOf, sequenceOf } from './points.js'
import type { TermOf } from './requests.js'

/** Of a batch item; `more`: the next one goes on with it. `term` is that of the writer's turn, 0 from the server. */
export type BatchPart = TermOf & { readonly bytes: Uint8Array; readonly more: boolean }
/** A server's signed word on the head of a chain. */
export type SignedHead = Point & { readonly timeMs: number; readonly signature: Uint8Array }
/** `code` is one of the table of errors; a later version may have more. */
export type Refused = TermOf & { readonly sequence: number; readonly code: string; readonly message: string }
export type KeyringChanged = { readonly keyring: Uint8Array }

export type PushMap = {
  batch: BatchPart
  head: SignedHead
  recall: TermOf
  accepted: Point
  refused: Refused
  keyring: KeyringChanged
}
export type PushType = keyof PushMap

export const signedHeadOf = fields<SignedHead>({
  sequence: sequenceOf,
  digest: digestOf,
  timeMs: integer(0, Number.MAX_SAFE_INTEGER),
  signature: bytesOf(SIGNATURE_BYTES),
})

export const PUSHES: { readonly [T in PushType]: Shape<PushMap[T]> } = {
  batch: fields<BatchPart>({ bytes: bytesUpTo(MAX_PART_BYTES), more: yesOrNo, term: orElse(sequenceOf, 0) }),
  head: signedHeadOf,
  recall: fields<TermOf>({ term: sequenceOf }),
  accepted: pointOf,
  refused: fields<Refused>({
    term: sequenceOf,
    sequence: sequenceOf,
    code: text(MAX_TYPE_LENGTH),
    message: text(MAX_FAILURE_LENGTH),
  }),
  keyring: fields<KeyringChanged>({ keyring: bytesUpTo(MAX_SENT_KEYRING_BYTES) }),
}

export function isPushType(type: string): type is PushType {
  return Object.hasOwn(PUSHES, type)
}
