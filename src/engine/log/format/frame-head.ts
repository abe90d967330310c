/**
 * How a batch lies in a segment: frame header, head (link, batch header, table, authentication), groups, zeros up to the
 * next multiple of 8. The segment's random salt begins every frame, so bytes of another segment or an earlier use of the
 * disk never parse; the CRC finds a torn head before anything else is believed.
 */
import { ByteReader } from '../../bytes/byte-reader.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { MAX_BATCH_BYTES, MAX_BATCH_GROUPS } from '../../limits.js'
import { BATCH_HEADER_BYTES, readBatchHeader, readTableEntry, TABLE_ENTRY_BYTES } from './batch-header.js'
import type { BatchHeader, TableEntry } from './batch-header.js'
import { GROUP_OVERHEAD_BYTES } from './group-header.js'
import { LINK_BYTES, readLink, type Link } from './link.js'

export const SEGMENT_SALT_BYTES = 16
const CRC_AT = SEGMENT_SALT_BYTES + 12
export const FRAME_HEADER_BYTES = SEGMENT_SALT_BYTES + 16
export const FRAME_ALIGNMENT_BYTES = 8
const MAX_AUTH_BYTES = 0xffff
/** Head of a frame without its table and authentication. */
export const HEAD_FIXED_BYTES = LINK_BYTES + BATCH_HEADER_BYTES
export const MAX_HEAD_BYTES = HEAD_FIXED_BYTES + MAX_BATCH_GROUPS * TABLE_ENTRY_BYTES + MAX_AUTH_BYTES

export interface FrameHeader {
  headBytes: number
  bodyBytes: number
}

export interface FrameHead {
  link: Link
  batch: BatchHeader
  table: TableEntry[]
  auth: Uint8Array
  /** The stored bytes that each digest or authentication covers. */
  linkBytes: Uint8Array
  authenticatedBytes: Uint8Array
  batchBytes: Uint8Array
}

/** Writes the frame header at `at` of `target`; the head must lie behind it already (the CRC covers it). */
export function writeFrameHeader(
  crypto: CryptoProvider,
  target: Uint8Array,
  at: number,
  salt: Uint8Array,
  header: FrameHeader,
): void {
  const view = new DataView(target.buffer, target.byteOffset + at, FRAME_HEADER_BYTES)
  target.set(salt, at)
  view.setUint32(SEGMENT_SALT_BYTES, header.headBytes, true)
  view.setUint32(SEGMENT_SALT_BYTES + 4, header.bodyBytes, true)
  view.setUint32(SEGMENT_SALT_BYTES + 8, 0, true)
  const frame = target.subarray(at, at + FRAME_HEADER_BYTES + header.headBytes)
  view.setUint32(CRC_AT, frameCrc(crypto, frame), true)
}

/** The lengths in a frame header that begins with `salt`; undefined when it is none or the lengths cannot be. */
export function readFrameHeader(bytes: Uint8Array, salt: Uint8Array): FrameHeader | undefined {
  if (bytes.length < FRAME_HEADER_BYTES) return undefined
  for (let i = 0; i < SEGMENT_SALT_BYTES; i++) if (bytes[i] !== salt[i]) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES)
  const headBytes = view.getUint32(SEGMENT_SALT_BYTES, true)
  const bodyBytes = view.getUint32(SEGMENT_SALT_BYTES + 4, true)
  if (view.getUint32(SEGMENT_SALT_BYTES + 8, true) !== 0) return undefined
  if (headBytes < HEAD_FIXED_BYTES || headBytes > MAX_HEAD_BYTES || bodyBytes > MAX_BATCH_BYTES) return undefined
  return { headBytes, bodyBytes }
}

/** True when the CRC of a frame's header and head (`frame` is exactly both) is right. */
export function isFrameIntact(crypto: CryptoProvider, frame: Uint8Array): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  return view.getUint32(CRC_AT, true) === frameCrc(crypto, frame)
}

/** Parses a head whose frame says that `bodyBytes` of groups follow. Throws BAD_FORMAT or UNSUPPORTED_FORMAT. */
export function readFrameHead(head: Uint8Array, bodyBytes: number): FrameHead {
  const reader = new ByteReader(head, 'frame')
  const link = readLink(reader)
  const batch = readBatchHeader(reader)
  const table: TableEntry[] = []
  let groupBytes = 0
  for (let i = 0; i < batch.groupCount; i++) {
    const entry = readTableEntry(reader)
    if (entry.storedBytes < GROUP_OVERHEAD_BYTES) throw reader.bad('stored length', 'is too small')
    groupBytes += entry.storedBytes
    table.push(entry)
  }
  if (groupBytes !== bodyBytes) throw reader.bad('table of groups', 'does not add up to the length of the groups')
  const authAt = reader.offset
  const auth = reader.bytes(batch.authBytes, 'authentication')
  reader.done()
  return {
    link,
    batch,
    table,
    auth,
    linkBytes: head.subarray(0, LINK_BYTES),
    authenticatedBytes: head.subarray(LINK_BYTES, authAt),
    batchBytes: head.subarray(LINK_BYTES),
  }
}

/** Bytes of a head with so many groups and such an authentication. */
export function headBytesOf(groupCount: number, authBytes: number): number {
  return HEAD_FIXED_BYTES + groupCount * TABLE_ENTRY_BYTES + authBytes
}

/** `position` rounded up to where a frame may begin. */
export function alignFrame(position: number): number {
  return Math.ceil(position / FRAME_ALIGNMENT_BYTES) * FRAME_ALIGNMENT_BYTES
}

function frameCrc(crypto: CryptoProvider, frame: Uint8Array): number {
  return crypto.crc32(frame.subarray(FRAME_HEADER_BYTES), crypto.crc32(frame.subarray(0, CRC_AT)))
}
