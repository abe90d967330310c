/**
 * The record of an inode without a name that was in use at the last commit: version 1 alone, or version 2 and which of the
 * chain's writers used it (varint): a number that it has chosen once for all.
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'

const VERSION_ALONE = 1
const VERSION_SHARED = 2
/** The writer of a chain that has only one. */
export const ONLY_WRITER = 0

const writer = new ByteWriter(16)

export function encodeOrphan(user: number): Uint8Array {
  if (user === ONLY_WRITER) return writer.reset().u8(VERSION_ALONE).copy()
  return writer.reset().u8(VERSION_SHARED).varint(user).copy()
}

/** Who uses it. Throws BAD_FORMAT. */
export function decodeOrphan(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes, 'orphan')
  const version = reader.u8('version')
  if (version !== VERSION_ALONE && version !== VERSION_SHARED) throw reader.bad('version', `is ${version}`)
  const user = version === VERSION_ALONE ? ONLY_WRITER : reader.varint('writer')
  if (version === VERSION_SHARED && user === ONLY_WRITER) throw reader.bad('writer', 'is 0')
  reader.done()
  return user
}
