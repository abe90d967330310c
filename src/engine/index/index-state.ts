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
const FORMAT = 2
/** Knew nothing of the bytes of records. */
const FIRST_FORMAT = 1
const DIGEST_BYTES = 32

/** What the chain counts of its log, as of the point. Opaque to the index. */
export interface LogCounters {
  /** First number that no group has. */
  nextGroup: number
  /** What records that are not forgotten take in the log, in whole blocks. */
  recordBytes: number
}

export interface IndexState extends LogCounters {
  /** Undefined before the first batch. */
  point: LogPoint | undefined
  setDigest: Uint8Array
}

export function encodeState(state: IndexState): Uint8Array {
  const writer = new ByteWriter()
  writer.u8(FORMAT)
  writer.bytes(state.setDigest)
  writer.u53(state.nextGroup).u53(state.recordBytes)
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
  const format = reader.u8('format')
  if (format !== FORMAT && format !== FIRST_FORMAT)
    throw new AteError('UNSUPPORTED_FORMAT', 'index state of another format')
  const setDigest = reader.copy(DIGEST_BYTES, 'set digest')
  const nextGroup = reader.u53('next group')
  const recordBytes = format === FIRST_FORMAT ? 0 : reader.u53('bytes of records')
  const sequence = reader.u53('sequence')
  if (sequence === 0) return { point: undefined, setDigest, nextGroup, recordBytes }
  const digest = reader.copy(DIGEST_BYTES, 'digest')
  const segment = reader.u53('segment')
  const position = reader.u53('position')
  reader.done()
  return { point: { sequence, digest, segment, position }, setDigest, nextGroup, recordBytes }
}
