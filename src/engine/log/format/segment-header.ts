/**
 * First bytes of a segment file: which chain, where in its order, and the random salt that its frames begin with. A new
 * salt for every segment file ever made is what keeps stale bytes and copied directories apart.
 */
import { ByteReader } from '../../bytes/byte-reader.js'
import { ByteWriter } from '../../bytes/byte-writer.js'
import { equalBytes } from '../../bytes/equal.js'
import { CHAIN_ID_BYTES } from '../../crypto/chain-keys.js'
import { LABELS } from '../../crypto/labels.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { readFormatHeader, writeFormatHeader, type FormatHeader } from './feature-flags.js'
import { SEGMENT_SALT_BYTES } from './frame-head.js'
import { DIGEST_BYTES } from './link.js'

const MAGIC = 'ATEFSSEG'
const MAC_BYTES = 32
const MAC_AT = 24 + CHAIN_ID_BYTES + 8 + 8 + SEGMENT_SALT_BYTES + DIGEST_BYTES + 8 + 8
export const SEGMENT_HEADER_BYTES = MAC_AT + MAC_BYTES
const CRC_AT = MAC_AT - 8

export interface SegmentHeader {
  format: FormatHeader
  chainId: Uint8Array
  number: number
  /** Sequence of the first batch in it. */
  firstSequence: number
  salt: Uint8Array
  /** Digest of the link before the first batch. */
  previous: Uint8Array
  createdMs: number
}

export function encodeSegmentHeader(crypto: CryptoProvider, key: Uint8Array, header: SegmentHeader): Uint8Array {
  const writer = new ByteWriter(SEGMENT_HEADER_BYTES)
  writeFormatHeader(writer, MAGIC, header.format)
  writer.bytes(header.chainId).u53(header.number).u53(header.firstSequence).bytes(header.salt).bytes(header.previous)
  writer.u53(header.createdMs)
  writer.u32(crypto.crc32(writer.view())).u32(0)
  return writer.bytes(crypto.hmacSha256(key, LABELS.segment, writer.view())).copy()
}

/** Without the key: structure and CRC only. Throws BAD_FORMAT or UNSUPPORTED_FORMAT. */
export function parseSegmentHeader(crypto: CryptoProvider, bytes: Uint8Array): SegmentHeader {
  return readHeader(crypto, new ByteReader(bytes, 'segment header'), bytes)
}

function readHeader(crypto: CryptoProvider, reader: ByteReader, bytes: Uint8Array): SegmentHeader {
  const format = readFormatHeader(reader, MAGIC, 'segment')
  const header: SegmentHeader = {
    format,
    chainId: reader.copy(CHAIN_ID_BYTES, 'chain id'),
    number: reader.u53('number'),
    firstSequence: reader.u53('first sequence'),
    salt: reader.copy(SEGMENT_SALT_BYTES, 'salt'),
    previous: reader.copy(DIGEST_BYTES, 'previous link digest'),
    createdMs: reader.u53('creation time'),
  }
  if (reader.u32('CRC') !== crypto.crc32(bytes.subarray(0, CRC_AT))) throw reader.bad('CRC', 'is wrong', CRC_AT)
  if (reader.u32('reserved') !== 0) throw reader.bad('reserved', 'is not zero', CRC_AT + 4)
  return header
}

/** Throws BAD_FORMAT or UNSUPPORTED_FORMAT; damage and forgery alike are BAD_FORMAT. */
export function decodeSegmentHeader(
  crypto: CryptoProvider,
  key: Uint8Array,
  chainId: Uint8Array,
  number: number,
  bytes: Uint8Array,
): SegmentHeader {
  const reader = new ByteReader(bytes, 'segment header')
  const header = readHeader(crypto, reader, bytes)
  const mac = reader.bytes(MAC_BYTES, 'MAC')
  if (!crypto.equal(mac, crypto.hmacSha256(key, LABELS.segment, bytes.subarray(0, MAC_AT)))) {
    throw reader.bad('MAC', 'does not verify', MAC_AT)
  }
  if (!equalBytes(header.chainId, chainId)) throw reader.bad('chain id', 'is that of another chain', 24)
  if (header.number !== number) throw reader.bad('number', 'is that of another segment', 24 + CHAIN_ID_BYTES)
  return header
}
