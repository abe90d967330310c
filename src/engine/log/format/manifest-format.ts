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
  FEATURE_FORGETS,
  MANIFEST_FEATURES,
  readFormatHeader,
  trustOf,
  writeFormatHeader,
  type FormatHeader,
} from './feature-flags.js'
import { GROUP_CONTENT, type GroupKind } from '../types.js'
import { DIGEST_BYTES } from './link.js'
import { MAX_SEGMENT_NUMBER } from './segment-name.js'

const MAGIC = 'ATEFSMAN'
const FIXED_BYTES = 24 + CHAIN_ID_BYTES + 8 + 8 + 8
const ENTRY_BYTES = 8 + 8 + 8 + 8 + 8 + DIGEST_BYTES
const TRAILER_BYTES = 8 + 32
const FORGOTTEN_BYTES = 8 + 8
const STATE_OPEN = 1
const STATE_CLOSED = 2
export const MAX_SEGMENTS = Math.floor(
  (MAX_MANIFEST_BYTES - FIXED_BYTES - FORGOTTEN_BYTES - TRAILER_BYTES) / ENTRY_BYTES,
)

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

/** Which records of the log this copy of the chain has no more. A batch of the log says that it needs them no more. */
export interface Forgotten {
  /** Records of batches up to this one may be gone, wholly or in part, and are not read. In closed segments. */
  sequence: number
  /** Up to this one their space has been given back, as far as it can be. */
  freed: number
}

export interface Manifest {
  format: FormatHeader
  chainId: Uint8Array
  suite: number
  createdMs: number
  /** Counts replacements. */
  generation: number
  /** With FEATURE_FORGETS. */
  forgotten?: Forgotten | undefined
  segments: readonly SegmentEntry[]
}

export function encodeManifest(crypto: CryptoProvider, key: Uint8Array, manifest: Manifest): Uint8Array {
  const { format, forgotten } = manifest
  const writer = new ByteWriter(FIXED_BYTES + manifest.segments.length * ENTRY_BYTES + TRAILER_BYTES)
  writeFormatHeader(writer, MAGIC, format)
  writer.bytes(manifest.chainId).u16(manifest.suite).u16(0).u32(manifest.segments.length)
  writer.u53(manifest.createdMs).u53(manifest.generation)
  if (forgotten !== undefined) writer.u53(forgotten.sequence).u53(forgotten.freed)
  for (const segment of manifest.segments) writeEntry(writer, segment)
  writer.u32(crypto.crc32(writer.view())).u32(0)
  return writer.bytes(crypto.hmacSha256(key, LABELS.manifest, writer.view())).copy()
}

/** Parses without the key: structure and CRC only. Throws BAD_FORMAT or UNSUPPORTED_FORMAT. */
export function decodeManifest(crypto: Pick<CryptoProvider, 'crc32'>, bytes: Uint8Array): Manifest {
  const reader = new ByteReader(bytes, 'manifest')
  const format = readFormatHeader(reader, MAGIC, 'manifest', MANIFEST_FEATURES)
  const chainId = reader.copy(CHAIN_ID_BYTES, 'chain id')
  const suite = reader.u16('suite')
  if (reader.u16('reserved') !== 0) throw reader.bad('reserved', 'is not zero')
  const count = reader.u32('segment count')
  const createdMs = reader.u53('creation time')
  const generation = reader.u53('generation')
  const forgotten = (format.incompat & FEATURE_FORGETS) === 0 ? undefined : readForgotten(reader)
  if (reader.remaining !== count * ENTRY_BYTES + TRAILER_BYTES)
    throw reader.bad('length', 'does not fit the segment count')
  const crcAt = bytes.length - TRAILER_BYTES
  const trailer = new ByteReader(bytes, 'manifest', crcAt)
  if (trailer.u32('CRC') !== crypto.crc32(bytes.subarray(0, crcAt))) throw trailer.bad('CRC', 'is wrong', crcAt)
  if (trailer.u32('reserved') !== 0) throw trailer.bad('reserved', 'is not zero')
  const segments: SegmentEntry[] = []
  for (let i = 0; i < count; i++) segments.push(readEntry(reader))
  checkOrder(reader, segments)
  const manifest: Manifest = { format, chainId, suite, createdMs, generation, segments }
  if (forgotten === undefined) return manifest
  if (trustOf(format) === 'distributed') throw reader.bad('forgotten', 'is never said in distributed trust')
  if (forgotten.sequence > lastClosedSequence(segments)) throw reader.bad('forgotten', 'is not in closed segments')
  return { ...manifest, forgotten }
}

/** Of the last batch that lies in a closed segment; 0 when there is none. */
export function lastClosedSequence(segments: readonly SegmentEntry[]): number {
  return segments.findLast(({ closing }) => closing !== undefined)?.closing?.lastSequence ?? 0
}

/**
 * Kinds of groups of which bytes may be gone in the segment: content, that a later batch drops. Never while it is written, and
 * only the last one may be.
 */
export function mayMissIn(
  { format, segments }: Pick<Manifest, 'format' | 'segments'>,
  entry: SegmentEntry,
): readonly GroupKind[] {
  const isClosed = entry.closing !== undefined || entry !== segments.at(-1)
  return (format.incompat & FEATURE_DROPS) !== 0 && isClosed ? [GROUP_CONTENT] : []
}

/** True when the chain's key made these manifest bytes. */
export function isManifestAuthentic(crypto: CryptoProvider, key: Uint8Array, bytes: Uint8Array): boolean {
  const macAt = bytes.length - 32
  return crypto.equal(bytes.subarray(macAt), crypto.hmacSha256(key, LABELS.manifest, bytes.subarray(0, macAt)))
}

function readForgotten(reader: ByteReader): Forgotten {
  const sequence = reader.u53('forgotten')
  const freed = reader.u53('freed')
  if (sequence < 1 || freed > sequence) throw reader.bad('forgotten', 'is impossible')
  return { sequence, freed }
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
    lastDigest: reader.copy(DIGEST_BYTES, 'last digest'),
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
