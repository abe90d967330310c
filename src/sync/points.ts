/** Where a copy of a chain stands. */
import { bytesOf, fields, integer } from '../engine/codec/shape.js'
import { DIGEST_BYTES, NO_DIGEST } from '../engine/log/format/link.js'

/** The last batch that somebody has, and the digest of its link; 0 and 32 zeros for none. */
export type Point = {
  readonly sequence: number
  readonly digest: Uint8Array
}

export const START: Point = { sequence: 0, digest: NO_DIGEST }

export const sequenceOf = integer(0, Number.MAX_SAFE_INTEGER)
export const digestOf = bytesOf(DIGEST_BYTES)
export const pointOf = fields<Point>({ sequence: sequenceOf, digest: digestOf })
