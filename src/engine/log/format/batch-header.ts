/**
 * What an author says of a batch: who, on which base, which groups. The header and the table of groups are what the
 * author authenticates; the batch digest covers them and the authentication, as they are stored.
 */
import type { ByteReader } from '../../bytes/byte-reader.js'
import type { ByteWriter } from '../../bytes/byte-writer.js'
import { CHAIN_ID_BYTES, KEY_ID_BYTES } from '../../crypto/chain-keys.js'
import { LABELS } from '../../crypto/labels.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { AteError } from '../../error.js'
import { FORMAT_VERSION, MAX_BATCH_GROUPS } from '../../limits.js'
import { DIGEST_BYTES } from './link.js'

export const AUTH_MAC = 1
/** A proof (`proof-format.ts`), and a MAC over it too. */
export const AUTH_PROOF = 2

export const BATCH_HEADER_BYTES =
  8 + CHAIN_ID_BYTES + KEY_ID_BYTES + 8 + DIGEST_BYTES + 8 + DIGEST_BYTES + 16 + DIGEST_BYTES
export const TABLE_ENTRY_BYTES = 16 + DIGEST_BYTES

export interface BatchHeader {
  suite: number
  authKind: number
  authBytes: number
  chainId: Uint8Array
  authorKeyId: Uint8Array
  /** 1 for the author's first batch. */
  authorCounter: number
  /** Digest of the author's previous batch; zeros for the first. */
  authorPrevious: Uint8Array
  /** The link this batch was built on. */
  baseSequence: number
  baseDigest: Uint8Array
  keyEpoch: number
  groupCount: number
  /** Highest sequence known to be on the medium when this was written. */
  durableSequence: number
  merkleRoot: Uint8Array
}

export interface TableEntry {
  kind: number
  flags: number
  number: number
  storedBytes: number
  digest: Uint8Array
}

export function writeBatchHeader(writer: ByteWriter, header: BatchHeader): void {
  writer.u16(FORMAT_VERSION).u16(header.suite).u8(header.authKind).u8(0).u16(header.authBytes)
  writer.bytes(header.chainId).bytes(header.authorKeyId).u53(header.authorCounter).bytes(header.authorPrevious)
  writer.u53(header.baseSequence).bytes(header.baseDigest).u32(header.keyEpoch).u32(header.groupCount)
  writer.u53(header.durableSequence).bytes(header.merkleRoot)
}

/** Throws BAD_FORMAT, or UNSUPPORTED_FORMAT for a batch of a newer format. */
export function readBatchHeader(reader: ByteReader): BatchHeader {
  const format = reader.u16('format')
  const suite = reader.u16('suite')
  const authKind = reader.u8('authentication kind')
  const flags = reader.u8('flags')
  if (format !== FORMAT_VERSION || flags !== 0) {
    throw new AteError(
      'UNSUPPORTED_FORMAT',
      `A batch has format ${format} and flags ${flags}, which are not known here.`,
      {
        hint: 'Use the newer atefs that wrote it.',
      },
    )
  }
  const header: BatchHeader = {
    suite,
    authKind,
    authBytes: reader.u16('authentication length'),
    chainId: reader.bytes(CHAIN_ID_BYTES, 'chain id'),
    authorKeyId: reader.bytes(KEY_ID_BYTES, 'author key id'),
    authorCounter: reader.u53('author counter'),
    authorPrevious: reader.bytes(DIGEST_BYTES, "digest of the author's previous batch"),
    baseSequence: reader.u53('base sequence'),
    baseDigest: reader.bytes(DIGEST_BYTES, 'base digest'),
    keyEpoch: reader.u32('key epoch'),
    groupCount: reader.u32('group count'),
    durableSequence: reader.u53('durable sequence'),
    merkleRoot: reader.bytes(DIGEST_BYTES, 'Merkle root'),
  }
  if (header.groupCount > MAX_BATCH_GROUPS) throw reader.bad('group count', 'is above the limit')
  return header
}

export function writeTableEntry(writer: ByteWriter, entry: TableEntry): void {
  writer.u8(entry.kind).u8(entry.flags).u16(0).u32(entry.storedBytes).u53(entry.number).bytes(entry.digest)
}

export function readTableEntry(reader: ByteReader): TableEntry {
  const kind = reader.u8('group kind')
  const flags = reader.u8('group flags')
  if (reader.u16('reserved') !== 0) throw reader.bad('reserved', 'is not zero')
  const storedBytes = reader.u32('stored length')
  return { kind, flags, storedBytes, number: reader.u53('group number'), digest: reader.bytes(DIGEST_BYTES, 'digest') }
}

/** Digest over the stored header, table and authentication of a batch. */
export function batchDigest(crypto: CryptoProvider, batchBytes: Uint8Array): Uint8Array {
  return crypto.sha256(LABELS.batch, batchBytes)
}
