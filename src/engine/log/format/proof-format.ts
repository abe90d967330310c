/**
 * The proof of a batch in distributed trust: signatures of the write keys whose rights it uses, which anybody can verify.
 * Batches that are written together share signatures: the last of them, whose header binds those before it by their digests,
 * carries them for all, and each of the others says how far ahead they are.
 */
import { ByteReader } from '../../bytes/byte-reader.js'
import { ByteWriter } from '../../bytes/byte-writer.js'
import { LABELS } from '../../crypto/labels.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { SIGNATURE_BYTES, SIGNATURE_PUBLIC_KEY_BYTES } from '../../crypto/signature.js'
import { parseSignatureSuite, type SignatureSuite } from '../../crypto/suites.js'
import { MAX_PROOF_KEYS, MAX_PROOF_SHARE } from '../../limits.js'

const FORMAT = 1
export const PROOF_FIXED_BYTES = 3
/** Of a signature that covers one batch; each other one takes a byte more. */
export const PROOF_ENTRY_BYTES = 1 + SIGNATURE_PUBLIC_KEY_BYTES + 1 + 1 + SIGNATURE_BYTES

export interface ProofEntry {
  readonly suite: SignatureSuite
  readonly publicKey: Uint8Array
  /** The batches it is for: how many before the one that carries it, ascending; 0 is that one. */
  readonly distances: readonly number[]
  readonly signature: Uint8Array
}

export interface Proof {
  /** The signatures of this batch are carried by the one so many ahead; 0: by itself. */
  readonly ahead: number
  readonly entries: readonly ProofEntry[]
}

export function encodeProof({ ahead, entries }: Proof): Uint8Array {
  const writer = new ByteWriter(PROOF_FIXED_BYTES + entries.length * (PROOF_ENTRY_BYTES + MAX_PROOF_SHARE))
  writer.u8(FORMAT).u8(ahead).u8(entries.length)
  for (const { suite, publicKey, distances, signature } of entries) {
    writer.u8(suite).bytes(publicKey).u8(distances.length)
    for (const distance of distances) writer.u8(distance)
    writer.bytes(signature)
  }
  return writer.copy()
}

/** BAD_FORMAT, UNSUPPORTED_FORMAT. */
export function decodeProof(bytes: Uint8Array): Proof {
  const reader = new ByteReader(bytes, 'proof')
  if (reader.u8('format') !== FORMAT) throw reader.bad('format', 'is not 1', 0)
  const ahead = reader.u8('batches ahead')
  if (ahead >= MAX_PROOF_SHARE) throw reader.bad('batches ahead', 'are too many')
  const count = reader.u8('signatures')
  if (count > MAX_PROOF_KEYS) throw reader.bad('signatures', 'are too many')
  const entries = Array.from({ length: count }, () => readEntry(reader))
  reader.done()
  return { ahead, entries }
}

/** What an entry signs: SHA-256 of the label, its distances, and the digest of the header and table that carry it. */
export function proofDigest(crypto: CryptoProvider, distances: readonly number[], headDigest: Uint8Array): Uint8Array {
  return crypto.sha256(LABELS.batchSignature, Uint8Array.of(distances.length, ...distances), headDigest)
}

/** Of a batch's stored header and table. */
export function headDigestOf(crypto: CryptoProvider, bytes: Uint8Array): Uint8Array {
  return crypto.sha256(LABELS.batchHead, bytes)
}

function readEntry(reader: ByteReader): ProofEntry {
  const suite = parseSignatureSuite(reader.u8('suite'))
  const publicKey = reader.copy(SIGNATURE_PUBLIC_KEY_BYTES, 'public key')
  const count = reader.u8('batches')
  if (count === 0 || count > MAX_PROOF_SHARE) throw reader.bad('batches', 'have an impossible number')
  const distances: number[] = []
  for (let i = 0; i < count; i++) {
    const distance = reader.u8('distance')
    if (distance >= MAX_PROOF_SHARE || distance <= (distances.at(-1) ?? -1))
      throw reader.bad('distance', 'is out of order')
    distances.push(distance)
  }
  return { suite, publicKey, distances, signature: reader.copy(SIGNATURE_BYTES, 'signature') }
}
