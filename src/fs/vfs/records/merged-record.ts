/** The record of what a writer has brought together last: version, and the digest of the last batch that was set aside. */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'

const VERSION = 1
const DIGEST_BYTES = 32

const writer = new ByteWriter(64)

export function encodeMerged(digest: Uint8Array): Uint8Array {
  return writer.reset().u8(VERSION).bytes(digest).copy()
}

/** Throws BAD_FORMAT. */
export function decodeMerged(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes, 'merged')
  const version = reader.u8('version')
  if (version !== VERSION) throw reader.bad('version', `is ${version}, not ${VERSION}`)
  const digest = reader.copy(DIGEST_BYTES, 'digest')
  reader.done()
  return digest
}
