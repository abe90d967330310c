/**
 * The index's own record: which point of the log it has taken in, and the digest of all its leaves. It is written in the
 * same transaction as the leaves it speaks of, and sealed as they are.
 */
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import { AteError } from '../error.js'
import type { LogPoint } from '../log/types.js'

/** Above every record key: kinds end at 254. */
export const STATE_KEY = Uint8Array.of(0xff)
const FORMAT = 1
const DIGEST_BYTES = 32

export interface IndexState {
  /** Undefined before the first batch. */
  point: LogPoint | undefined
  setDigest: Uint8Array
  /** Opaque to the index: the chain's own counters. */
  nextGroup: number
}

export function encodeState(state: IndexState): Uint8Array {
  const writer = new ByteWriter()
  writer.u8(FORMAT)
  writer.bytes(state.setDigest)
  writer.u53(state.nextGroup)
  writer.u53(state.point?.sequence ?? 0)
  if (state.point !== undefined) {
    writer.bytes(state.point.digest)
    writer.u53(state.point.segment)
    writer.u53(state.point.position)
  }
  return writer.copy()
}

/** Throws BAD_FORMAT. */
export function decodeState(bytes: Uint8Array): IndexState {
  const reader = new ByteReader(bytes, 'index state')
  if (reader.u8('format') !== FORMAT) throw new AteError('UNSUPPORTED_FORMAT', 'index state of another format')
  const setDigest = reader.bytes(DIGEST_BYTES, 'set digest').slice()
  const nextGroup = reader.u53('next group')
  const sequence = reader.u53('sequence')
  if (sequence === 0) return { point: undefined, setDigest, nextGroup }
  const digest = reader.bytes(DIGEST_BYTES, 'digest').slice()
  const segment = reader.u53('segment')
  const position = reader.u53('position')
  reader.done()
  return { point: { sequence, digest, segment, position }, setDigest, nextGroup }
}
