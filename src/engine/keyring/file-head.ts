/** What the files `keyring` and `key` have in common: magic and version in front, the CRC-32 of all before it at the end. */
import { ByteReader } from '../bytes/byte-reader.js'
import { equalBytes } from '../bytes/equal.js'
import { crc32 } from '../crypto/crc32.js'
import { AteError } from '../error.js'

export const CRC_BYTES = 4

/** A reader behind the version. BAD_FORMAT, or UNSUPPORTED_FORMAT for another version with a right checksum. */
export function readFileHead(file: Uint8Array, what: string, magic: Uint8Array, version: number): ByteReader {
  const reader = new ByteReader(file, what)
  if (!equalBytes(reader.bytes(magic.length, 'magic'), magic)) throw reader.bad('magic', `is not that of a ${what}`, 0)
  const crcAt = Math.max(file.length - CRC_BYTES, 0)
  const crc = new ByteReader(file, what, crcAt).u32('checksum')
  if (crc !== crc32(file.subarray(0, crcAt))) throw reader.bad('checksum', 'does not match', crcAt)
  const found = reader.u16('version')
  if (found === version) return reader
  throw new AteError('UNSUPPORTED_FORMAT', `The ${what} has version ${found}; this atefs knows ${version}.`, {
    hint: 'A newer atefs may know it.',
  })
}
