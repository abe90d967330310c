/**
 * What a backup knows of its segment files beside what the manifest says: the digests of all their bytes. Without a key: it
 * finds what a disk has done to them, not what a person has.
 */
import { ByteReader } from '../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../engine/bytes/byte-writer.js'
import { crc32 } from '../../engine/crypto/crc32.js'
import { MAX_MANIFEST_BYTES } from '../../engine/limits.js'
import type { LogStorage } from '../../engine/log/storage.js'

export const DIGESTS_NAME = 'digests'
const MAGIC = 'ATEFSDIG'
const FORMAT = 1
const ENTRY_BYTES = 4 + 8 + 32
const MAX_BYTES = MAX_MANIFEST_BYTES

interface SegmentDigest {
  length: number
  /** SHA-256 of the file. */
  digest: Uint8Array
}

/** By the number of the segment. */
export type SegmentDigests = Map<number, SegmentDigest>

export function encodeDigests(digests: SegmentDigests): Uint8Array {
  const writer = new ByteWriter(16 + digests.size * ENTRY_BYTES + 4)
  writer.latin1(MAGIC).u32(FORMAT).u32(digests.size)
  for (const [number, { length, digest }] of digests) writer.u32(number).u53(length).bytes(digest)
  return writer.u32(crc32(writer.view())).copy()
}

/** BAD_FORMAT. */
export function decodeDigests(bytes: Uint8Array): SegmentDigests {
  const reader = new ByteReader(bytes, 'digests')
  if (reader.latin1(MAGIC.length, 'magic') !== MAGIC) throw reader.bad('magic', 'is another one', 0)
  if (reader.u32('format') !== FORMAT) throw reader.bad('format', 'is unknown')
  const count = reader.u32('count')
  if (reader.remaining !== count * ENTRY_BYTES + 4) throw reader.bad('length', 'does not fit the count')
  const digests: SegmentDigests = new Map()
  for (let i = 0; i < count; i++)
    digests.set(reader.u32('number'), { length: reader.u53('length'), digest: reader.copy(32, 'digest') })
  if (reader.u32('CRC') !== crc32(bytes.subarray(0, -4))) throw reader.bad('CRC', 'is wrong')
  reader.done()
  return digests
}

/** None when there is no such file, or one that cannot be read: then nothing is known. */
export async function readDigests(storage: LogStorage): Promise<SegmentDigests> {
  try {
    const bytes = await storage.readSmall(DIGESTS_NAME, MAX_BYTES)
    return bytes === undefined ? new Map() : decodeDigests(bytes)
  } catch {
    return new Map()
  }
}
