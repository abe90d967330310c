/**
 * The record of an extent: version (1), then varints: body, offset in the opened body, length. Its place in the file is in
 * its key. An extent never crosses a chunk of the file, so whatever overlaps an offset begins in the offset's chunk.
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'
import { MAX_BODY_BYTES } from '../../../engine/limits.js'

const VERSION = 1
export const CHUNK_BYTES = MAX_BODY_BYTES

/** `length` bytes of a file from `start` on, found `offset` bytes into the opened body. */
export interface Extent {
  start: number
  length: number
  body: number
  offset: number
}

const writer = new ByteWriter(64)

export function encodeExtent(extent: Extent): Uint8Array {
  writer.reset().u8(VERSION).varint(extent.body).varint(extent.offset).varint(extent.length)
  return writer.copy()
}

/** Throws BAD_FORMAT. */
export function decodeExtent(start: number, bytes: Uint8Array): Extent {
  const reader = new ByteReader(bytes, 'extent')
  const version = reader.u8('version')
  if (version !== VERSION) throw reader.bad('version', `is ${version}, not ${VERSION}`)
  const body = reader.varint('body')
  const offset = reader.varint('offset')
  const length = reader.varint('length')
  if (length === 0 || offset + length > MAX_BODY_BYTES) throw reader.bad('length', 'does not fit in a body')
  if (length > chunkEnd(start) - start) throw reader.bad('length', 'goes beyond the chunk')
  reader.done()
  return { start, length, body, offset }
}

export function chunkStart(offset: number): number {
  return offset - (offset % CHUNK_BYTES)
}

/** First offset of the next chunk. */
export function chunkEnd(offset: number): number {
  return chunkStart(offset) + CHUNK_BYTES
}
