/**
 * The record of an inode without a name that was in use at the last commit: version 1 alone; version 2 and which of the chain's
 * writers used it (varint), a number that it has chosen once for all; or version 3, that writer, and when it last said so (seconds, varint).
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'

const VERSION_ALONE = 1
const VERSION_SHARED = 2
const VERSION_SEEN = 3
/** The writer of a chain that has only one. */
export const ONLY_WRITER = 0

const writer = new ByteWriter(16)

export interface Orphan {
  /** Who uses it. */
  readonly user: number
  /** Seconds since 1970; 0: not known. */
  readonly seenSec: number
}

export function encodeOrphan({ user, seenSec }: Orphan): Uint8Array {
  if (user === ONLY_WRITER) return writer.reset().u8(VERSION_ALONE).copy()
  if (seenSec <= 0) return writer.reset().u8(VERSION_SHARED).varint(user).copy()
  return writer.reset().u8(VERSION_SEEN).varint(user).varint(seenSec).copy()
}

/** Throws BAD_FORMAT. */
export function decodeOrphan(bytes: Uint8Array): Orphan {
  const reader = new ByteReader(bytes, 'orphan')
  const version = reader.u8('version')
  if (version < VERSION_ALONE || version > VERSION_SEEN) throw reader.bad('version', `is ${version}`)
  const user = version === VERSION_ALONE ? ONLY_WRITER : reader.varint('writer')
  if (version !== VERSION_ALONE && user === ONLY_WRITER) throw reader.bad('writer', 'is 0')
  const seenSec = version === VERSION_SEEN ? reader.varint('time') : 0
  if (version === VERSION_SEEN && seenSec === 0) throw reader.bad('time', 'is 0')
  reader.done()
  return { user, seenSec }
}
