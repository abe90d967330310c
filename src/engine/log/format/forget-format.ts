/**
 * A forgetting: up to which batch the records of the log are forgotten (`docs/format.md`, Forgetting). Version (1), sequence of
 * the last of those batches (u53).
 */
import { ByteReader } from '../../bytes/byte-reader.js'
import { ByteWriter } from '../../bytes/byte-writer.js'

const FORMAT = 1

export function encodeForget(sequence: number): Uint8Array {
  return new ByteWriter(9).u8(FORMAT).u53(sequence).copy()
}

/** In a batch with the sequence `own`, which comes later than those that it forgets. Throws BAD_FORMAT. */
export function decodeForget(bytes: Uint8Array, own: number): number {
  const reader = new ByteReader(bytes, 'forgetting')
  const format = reader.u8('format')
  if (format !== FORMAT) throw reader.bad('format', `${format} is unknown`, 0)
  const sequence = reader.u53('sequence')
  if (sequence < 1 || sequence >= own) throw reader.bad('sequence', 'is none of an earlier batch')
  reader.done()
  return sequence
}
