/**
 * The anchor: what one machine knows to be durable of a chain, kept outside the log (128 bytes). It is what finds a log
 * that was put back to an older state or lost its end.
 */
import { ByteReader } from '../../bytes/byte-reader.js'
import { ByteWriter } from '../../bytes/byte-writer.js'
import { equalBytes } from '../../bytes/equal.js'
import { CHAIN_ID_BYTES, type ChainKeys } from '../../crypto/chain-keys.js'
import { LABELS } from '../../crypto/labels.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { FORMAT_VERSION } from '../../limits.js'
import { DIGEST_BYTES } from './link.js'

const MAGIC = 'ATEFSANC'
const RESERVED_BYTES = 24
const MAC_AT = 8 + 8 + CHAIN_ID_BYTES + 8 + DIGEST_BYTES + RESERVED_BYTES
export const ANCHOR_BYTES = MAC_AT + 32

export interface Anchor {
  sequence: number
  digest: Uint8Array
}

export function encodeAnchor(crypto: CryptoProvider, keys: ChainKeys, anchor: Anchor): Uint8Array {
  const writer = new ByteWriter(ANCHOR_BYTES)
  writer.latin1(MAGIC).u32(FORMAT_VERSION).u32(0).bytes(keys.chainId).u53(anchor.sequence).bytes(anchor.digest)
  writer.bytes(new Uint8Array(RESERVED_BYTES))
  return writer.bytes(crypto.hmacSha256(keys.anchorKey, LABELS.anchor, writer.view())).copy()
}

/** Undefined for anything that this chain's key did not make: a torn or foreign anchor says nothing. */
export function decodeAnchor(crypto: CryptoProvider, keys: ChainKeys, bytes: Uint8Array): Anchor | undefined {
  if (bytes.length !== ANCHOR_BYTES) return undefined
  const mac = crypto.hmacSha256(keys.anchorKey, LABELS.anchor, bytes.subarray(0, MAC_AT))
  if (!crypto.equal(mac, bytes.subarray(MAC_AT))) return undefined
  const reader = new ByteReader(bytes, 'anchor', 16)
  if (!equalBytes(reader.bytes(CHAIN_ID_BYTES, 'chain id'), keys.chainId)) return undefined
  return { sequence: reader.u53('sequence'), digest: reader.copy(DIGEST_BYTES, 'digest') }
}
