/**
 * A range of a log as a stream of bytes that can be carried by hand (`docs/format.md`): header, batches as they are stored,
 * end. Each piece is bound to those before it by a running digest, and the end by the chain's key.
 */
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import { CHAIN_ID_BYTES, type ChainKeys } from '../crypto/chain-keys.js'
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { MAX_KEYRING_BYTES } from '../limits.js'
import { DIGEST_BYTES } from './format/link.js'
import type { ChainTrust } from './types.js'

const MAGIC = 'ATEFSEXP'
const FORMAT = 1
export const EXPORT_HEADER_BYTES = 8 + 4 + 4 + CHAIN_ID_BYTES + 2 + 1 + 1 + 8 + DIGEST_BYTES + 4
export const ITEM_END = 2
/** Kind (1), reserved (3), last sequence, digest of its link, running digest, MAC. */
export const END_ITEM_BYTES = 4 + 8 + 3 * DIGEST_BYTES
const TRUSTS: readonly ChainTrust[] = ['local', 'distributed']

/** The file that opens the chain: without it an import needs a copy of the chain. */
export interface ExportedKey {
  kind: 'keyring' | 'key'
  bytes: Uint8Array
}

const KEY_KINDS: readonly (ExportedKey['kind'] | undefined)[] = [undefined, 'keyring', 'key']

export interface ExportHeader {
  chainId: Uint8Array
  suite: number
  trust: ChainTrust
  /** Sequence of the first batch. */
  from: number
  /** Digest of the link before it. */
  previous: Uint8Array
  key: ExportedKey | undefined
}

export interface ExportEnd {
  /** Of the last batch; `from` - 1 when there is none. */
  sequence: number
  digest: Uint8Array
}

export function encodeExportHeader({ chainId, suite, trust, from, previous, key }: ExportHeader): Uint8Array {
  const writer = new ByteWriter(EXPORT_HEADER_BYTES + (key?.bytes.length ?? 0))
  writer.latin1(MAGIC).u32(FORMAT).u32(0).bytes(chainId).u16(suite)
  writer.u8(TRUSTS.indexOf(trust)).u8(KEY_KINDS.indexOf(key?.kind)).u53(from).bytes(previous)
  return writer
    .u32(key?.bytes.length ?? 0)
    .bytes(key?.bytes ?? new Uint8Array(0))
    .copy()
}

/** The first EXPORT_HEADER_BYTES, and how many bytes of key follow. BAD_FORMAT, UNSUPPORTED_FORMAT. */
export function decodeExportHeader(bytes: Uint8Array): { header: ExportHeader; keyBytes: number } {
  const reader = new ByteReader(bytes, 'export')
  if (reader.latin1(MAGIC.length, 'magic') !== MAGIC) throw reader.bad('magic', 'is another one', 0)
  const format = reader.u32('format')
  if (format > FORMAT)
    throw new AteError('UNSUPPORTED_FORMAT', `The export has version ${format}; this program knows ${FORMAT}.`)
  if (format !== FORMAT || reader.u32('flags') !== 0) throw reader.bad('format', 'is unknown')
  const chainId = reader.copy(CHAIN_ID_BYTES, 'chain id')
  const suite = reader.u16('suite')
  const trust = TRUSTS[reader.u8('trust')]
  const keyKind = reader.u8('key kind')
  const kind = KEY_KINDS[keyKind]
  const from = reader.u53('first sequence')
  const previous = reader.copy(DIGEST_BYTES, 'previous digest')
  const keyBytes = reader.u32('key length')
  if (trust === undefined || keyKind >= KEY_KINDS.length || from < 1) throw reader.bad('header', 'is impossible')
  if (keyBytes > MAX_KEYRING_BYTES || (kind === undefined) !== (keyBytes === 0))
    throw reader.bad('key length', 'is impossible')
  const key = kind === undefined ? undefined : { kind, bytes: new Uint8Array(0) }
  return { header: { chainId, suite, trust, from, previous, key }, keyBytes }
}

export function encodeEnd(crypto: CryptoProvider, keys: ChainKeys, end: ExportEnd, running: Uint8Array): Uint8Array {
  const writer = new ByteWriter(END_ITEM_BYTES)
  writer.u8(ITEM_END).u8(0).u16(0).u53(end.sequence).bytes(end.digest).bytes(running)
  return writer.bytes(crypto.hmacSha256(keys.manifestKey, LABELS.exportEnd, writer.view())).copy()
}

/** True when the chain's key made these bytes. */
export function isEndAuthentic(crypto: CryptoProvider, keys: ChainKeys, bytes: Uint8Array): boolean {
  const covered = bytes.subarray(0, END_ITEM_BYTES - DIGEST_BYTES)
  return crypto.equal(bytes.subarray(covered.length), crypto.hmacSha256(keys.manifestKey, LABELS.exportEnd, covered))
}

export function decodeEnd(bytes: Uint8Array): ExportEnd & { running: Uint8Array } {
  const reader = new ByteReader(bytes, 'end of export', 4)
  const sequence = reader.u53('sequence')
  return {
    sequence,
    digest: reader.copy(DIGEST_BYTES, 'digest'),
    running: reader.bytes(DIGEST_BYTES, 'running digest'),
  }
}
