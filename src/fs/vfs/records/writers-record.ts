/**
 * Who may write a file system in distributed trust: version 1, the number of keys (varint), and their ids (32 bytes each). Put with
 * the root directory, and never changed.
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'

const VERSION = 1
const ID_BYTES = 32
const MAX_WRITERS = 64

export function encodeWriters(ids: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(64).u8(VERSION).varint(ids.length)
  for (const id of ids) writer.bytes(id)
  return writer.copy()
}

/** Their ids. Throws BAD_FORMAT. */
export function decodeWriters(bytes: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(bytes, 'writers')
  const version = reader.u8('version')
  if (version !== VERSION) throw reader.bad('version', `is ${version}`, 0)
  const count = reader.varint('count')
  if (count === 0 || count > MAX_WRITERS) throw reader.bad('count', `is ${count}`)
  const ids = Array.from({ length: count }, () => reader.copy(ID_BYTES, 'id'))
  reader.done()
  return ids
}
