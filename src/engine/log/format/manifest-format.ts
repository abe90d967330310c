/**
 * The manifest: which segments the log consists of, in order. It is replaced as a whole and authenticated, so segments
 * can neither be dropped nor reordered; what it says of a closed segment is known to be durable.
 */
import { ByteReader } from '../../bytes/byte-reader.js'
import { ByteWriter } from '../../bytes/byte-writer.js'
import { CHAIN_ID_BYTES } from '../../crypto/chain-keys.js'
import { LABELS } from '../../crypto/labels.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { MAX_MANIFEST_BYTES } from '../../limits.js'
import {
  FEATURE_DROPS,
  MANIFEST_FEATURES,
  readFormatHeader,
  writeFormatHeader,
  type FormatHeader,
} from './feature-flags.js'
import { DIGEST_BYTES } from './link.js'
import { MAX_SEGMENT_NUMBER } from './segment-name.js'

const MAGIC = 'ATEFSMAN'
const FIXED_BYTES = 24 + CHAIN_ID_BYTES + 8 + 8 + 8
const ENTRY_BYTES = 8 + 8 + 8 + 8 + 8 + DIGEST_BYTES
const TRAILER_BYTES = 8 + 32
const STATE_OPEN = 1
const STATE_CLOSED = 2
export const MAX_SEGMENTS = Math.floor((MAX_MANIFEST_BYTES - FIXED_BYTES - TRAILER_BYTES) / ENTRY_BYTES)

/** What is known of a segment that nothing is appended to any more. It holds at least one frame. */
export interface SegmentClosing {
  /** Bytes of the file. */
  length: number
  /** Where the last frame begins. */
  lastPosition: number
  lastSequence: number
  /** Digest of the last link. */
  lastDigest: Uint8Array
}

export interface SegmentEntry {
  number: number
  firstSequence: number
  /** Undefined for the segment being written. */
  closing: SegmentClosing | undefined
}

export interface Manifest {
  format: FormatHeader
  chainId: Uint8Array
  suite: number
  createdMs: number
  /** Counts replacements. */
  generation: number
  segments: readonly SegmentEntry[]
}

export function encodeManifest(crypto: CryptoProvider, key: Uint8Array, manifest: Manifest): Uint8Array {
  const writer = new ByteWriter(FIXED_BYTES + manifest.segments.length * ENTRY_BYTES + TRAILER_BYTES)
  writeFormatHeader(writer, MAGIC, manifest.format)
  writer.bytes(manifest.chainId).u16(manifest.suite).u16(0).u32(manifest.segments.length)
  writer.u53(manifest.createdMs).u53(manifest.generation)
  for (const segment of manifest.segments) writeEntry(writer, segment)
  writer.u32(crypto.crc32(writer.view())).u32(0)
  return writer.bytes(crypto.hmacSha256(key, LABELS.manifest, writer.view())).copy()
}

/** Parses without the key: structure and CRC only. Throws BAD_FORMAT or UNSUPPORTED_FORMAT. */
export function decodeManifest(crypto: Pick<CryptoProvider, 'crc32'>, bytes: Uint8Array): Manifest {
  const reader = new ByteReader(bytes, 'manifest')
  const format = readFormatHeader(reader, MAGIC, 'manifest', MANIFEST_FEATURES)
  const chainId = reader.bytes(CHAIN_ID_BYTES, 'chain id').slice()
  const suite = reader.u16('suite')
  if (reader.u16('reserved') !== 0) throw reader.bad('reserved', 'is not zero')
  const count = reader.u32('segment count')
  const createdMs = reader.u53('creation time')
  const generation = reader.u53('generation')
  if (reader.remaining !== count * ENTRY_BYTES + TRAILER_BYTES)
    throw reader.bad('length', 'does not fit the segment count')
  const crcAt = bytes.length - TRAILER_BYTES
  const trailer = new ByteReader(bytes, 'manifest', crcAt)
  if (trailer.u32('CRC') !== crypto.crc32(bytes.subarray(0, crcAt))) throw trailer.bad('CRC', 'is wrong', crcAt)
  if (trailer.u32('reserved') !== 0) throw trailer.bad('reserved', 'is not zero')
  const segments: SegmentEntry[] = []
  for (let i = 0; i < count; i++) segments.push(readEntry(reader))
  checkOrder(reader, segments)
  return { format, chainId, suite, createdMs, generation, segments }
}

/**
 * True when bytes of the segment may be gone, of bodies that a later batch drops: never while it is written, and only the
 * last one may be.
 */
export function mayBeDropped(
  { format, segments }: Pick<Manifest, 'format' | 'segments'>,
  entry: SegmentEntry,
): boolean {
  return (format.incompat & FEATURE_DROPS) !== 0 && (entry.closing !== undefined || entry !== segments.at(-1))
}

/** True when the chain's key made these manifest bytes. */
export function isManifestAuthentic(crypto: CryptoProvider, key: Uint8Array, bytes: Uint8Array): boolean {
  const macAt = bytes.length - 32
  return crypto.equal(bytes.subarray(macAt), crypto.hmacSha256(key, LABELS.manifest, bytes.subarray(0, macAt)))
}

function writeEntry(writer: ByteWriter, { number, firstSequence, closing }: SegmentEntry): void {
  writer
    .u32(number)
    .u32(closing === undefined ? STATE_OPEN : STATE_CLOSED)
    .u53(firstSequence)
  writer
    .u53(closing?.length ?? 0)
    .u53(closing?.lastPosition ?? 0)
    .u53(closing?.lastSequence ?? 0)
  writer.bytes(closing?.lastDigest ?? new Uint8Array(DIGEST_BYTES))
}

function readEntry(reader: ByteReader): SegmentEntry {
  const number = reader.u32('segment number')
  const state = reader.u32('segment state')
  const firstSequence = reader.u53('first sequence')
  const closing: SegmentClosing = {
    length: reader.u53('length'),
    lastPosition: reader.u53('last position'),
    lastSequence: reader.u53('last sequence'),
    lastDigest: reader.bytes(DIGEST_BYTES, 'last digest').slice(),
  }
  if (state === STATE_OPEN) return { number, firstSequence, closing: undefined }
  if (state === STATE_CLOSED) return { number, firstSequence, closing }
  throw reader.bad('segment state', 'is unknown')
}

/** Numbers and sequences ascend without a gap, and only the last segment may be open. */
function checkOrder(reader: ByteReader, segments: readonly SegmentEntry[]): void {
  let number = 0
  let next = segments[0]?.firstSequence ?? 1
  segments.forEach(({ number: own, firstSequence, closing }, i) => {
    if (own <= number || own > MAX_SEGMENT_NUMBER) throw reader.bad('segment number', 'is out of order')
    if (firstSequence !== next || next < 1) throw reader.bad('first sequence', 'is out of order')
    if (closing === undefined ? i !== segments.length - 1 : closing.lastSequence < firstSequence) {
      throw reader.bad('segment', 'is open or empty in the middle')
    }
    number = own
    next = (closing?.lastSequence ?? 0) + 1
  })
}
