/**
 * A drop: the numbers of bodies that nothing refers to any more and whose bytes may be gone (`docs/format.md`, Drop). Version
 * (1), then ranges in ascending order until the end, each two varints: how far it begins behind the end of the one before,
 * and how many numbers it has.
 */
import { ByteReader } from '../../bytes/byte-reader.js'
import { ByteWriter } from '../../bytes/byte-writer.js'
import { MAX_DROPPED_BODIES } from '../../limits.js'
import type { NumberRange } from '../types.js'

const FORMAT = 1

/** `ranges` ascend and do not touch. */
export function encodeDrop(ranges: readonly NumberRange[]): Uint8Array {
  const writer = new ByteWriter(64)
  writer.u8(FORMAT)
  let end = 0
  for (const { from, to } of ranges) {
    writer.varint(from - end).varint(to - from + 1)
    end = to + 1
  }
  return writer.copy()
}

/** Throws BAD_FORMAT. */
export function decodeDrop(bytes: Uint8Array): NumberRange[] {
  const reader = new ByteReader(bytes, 'drop')
  const format = reader.u8('format')
  if (format !== FORMAT) throw reader.bad('format', `${format} is unknown`, 0)
  const ranges: NumberRange[] = []
  let end = 0
  let count = 0
  while (reader.remaining > 0) {
    const gap = reader.varint('gap')
    const length = reader.varint('length')
    // Ranges that touch are one range.
    if (gap === 0) throw reader.bad('gap', ranges.length === 0 ? 'names group 0' : 'is 0')
    count += length
    if (length === 0 || count > MAX_DROPPED_BODIES) throw reader.bad('length', 'is impossible')
    const from = end + gap
    end = from + length
    if (!Number.isSafeInteger(end)) throw reader.bad('gap', 'goes beyond all numbers')
    ranges.push({ from, to: end - 1 })
  }
  if (ranges.length === 0) throw reader.bad('ranges', 'are none')
  return ranges
}
