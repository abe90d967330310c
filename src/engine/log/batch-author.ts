/**
 * Who authenticates batches. Every batch has a MAC under the chain's author key: whoever has the key could have written it.
 * In distributed trust it has a proof besides, which tells everybody whose rights it uses.
 */
import { equalBytes } from '../bytes/equal.js'
import type { DataKey } from '../crypto/chain-keys.js'
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { sign } from '../crypto/signature.js'
import { isAteError } from '../error.js'
import { AUTH_MAC, AUTH_PROOF } from './format/batch-header.js'
import { FORMAT_FOUND, type FormatHeader, trustOf } from './format/feature-flags.js'
import {
  decodeProof,
  encodeProof,
  headDigestOf,
  type Proof,
  PROOF_ENTRY_BYTES,
  PROOF_FIXED_BYTES,
  proofDigest,
} from './format/proof-format.js'
import type { ProofPlan } from './proof-plan.js'
import type { Authorship, ChainTrust } from './types.js'

const MAC_BYTES = 32

export interface BatchAuthor {
  readonly authKind: number
  /** 32 bytes. */
  readonly keyId: Uint8Array
  /** True for the id of who writes this log. */
  isAuthor(keyId: Uint8Array): boolean
  /** Bytes of an authentication. */
  authBytes(plan: ProofPlan): number
  /** `bytes` are a batch's stored header and table. Some milliseconds for each who signs. */
  authenticate(bytes: Uint8Array, plan: ProofPlan): Uint8Array
  /** The MAC only: signatures are verified by who judges rights. */
  verify(kind: number, bytes: Uint8Array, auth: Uint8Array): boolean
  /** What a verified batch says of who wrote it; undefined where everybody with the key may. */
  authorship(bytes: Uint8Array, auth: Uint8Array): Authorship | undefined
}

/** Who wrote the batches of a log with such a manifest. */
export function authorFor(format: FormatHeader, crypto: CryptoProvider, author: DataKey): BatchAuthor {
  if (format === FORMAT_FOUND) return foundAuthor(crypto, author)
  return authorOf(trustOf(format), crypto, author)
}

/** Who writes the batches of a chain of that trust. */
export function authorOf(trust: ChainTrust, crypto: CryptoProvider, author: DataKey): BatchAuthor {
  return trust === 'distributed' ? provenAuthor(crypto, author) : macAuthor(crypto, author)
}

/** The manifest is lost: whatever its batches are, for reading. */
function foundAuthor(crypto: CryptoProvider, author: DataKey): BatchAuthor {
  const mac = macAuthor(crypto, author)
  const proven = provenAuthor(crypto, author)
  return { ...mac, verify: (kind, bytes, auth) => [mac, proven].some((one) => one.verify(kind, bytes, auth)) }
}

/** HMAC-SHA-256 under `author`. */
export function macAuthor(crypto: CryptoProvider, author: DataKey): BatchAuthor {
  const mac = (bytes: Uint8Array): Uint8Array => crypto.hmacSha256(author.key, LABELS.batchMac, bytes)
  return {
    authKind: AUTH_MAC,
    keyId: author.id,
    isAuthor: (keyId) => equalBytes(keyId, author.id),
    authBytes: () => MAC_BYTES,
    authenticate: mac,
    verify: (kind, bytes, auth) => kind === AUTH_MAC && crypto.equal(mac(bytes), auth),
    authorship: () => undefined,
  }
}

/** A proof, and the MAC over it too. */
export function provenAuthor(crypto: CryptoProvider, author: DataKey): BatchAuthor {
  const mac = (bytes: Uint8Array, proof: Uint8Array): Uint8Array =>
    crypto.hmacSha256(author.key, LABELS.batchMac, bytes, proof)
  return {
    authKind: AUTH_PROOF,
    keyId: author.id,
    isAuthor: (keyId) => equalBytes(keyId, author.id),
    authBytes: ({ signers }) => {
      let bytes = PROOF_FIXED_BYTES + MAC_BYTES
      for (const distances of signers.values()) bytes += PROOF_ENTRY_BYTES + distances.length - 1
      return bytes
    },
    authenticate: (bytes, plan) => {
      const proof = encodeProof(signed(crypto, plan, bytes))
      const auth = new Uint8Array(proof.length + MAC_BYTES)
      auth.set(proof)
      auth.set(mac(bytes, proof), proof.length)
      return auth
    },
    verify: (kind, bytes, auth) => {
      if (kind !== AUTH_PROOF || auth.length < MAC_BYTES) return false
      const proof = proofIn(auth)
      return crypto.equal(mac(bytes, proof), auth.subarray(proof.length)) && parses(proof)
    },
    authorship: (bytes, auth) => ({ headDigest: headDigestOf(crypto, bytes), proof: decodeProof(proofIn(auth)) }),
  }
}

/** Of a log that is kept without the keys of its chain: whether the author's word is right only those can say who have them. */
export function keylessAuthor(trust: ChainTrust, crypto: CryptoProvider, own: DataKey): BatchAuthor {
  const author = authorOf(trust, crypto, own)
  return {
    ...author,
    isAuthor: () => true,
    verify: (kind, _bytes, auth) =>
      kind === author.authKind && (trust === 'local' ? auth.length === MAC_BYTES : parses(proofIn(auth))),
  }
}

/** The authentication of a batch of distributed trust without its MAC. */
export function proofIn(auth: Uint8Array): Uint8Array {
  return auth.subarray(0, Math.max(0, auth.length - MAC_BYTES))
}

function signed(crypto: CryptoProvider, { ahead, signers }: ProofPlan, bytes: Uint8Array): Proof {
  const headDigest = signers.size === 0 ? bytes : headDigestOf(crypto, bytes)
  const entries = Array.from(signers, ([key, distances]) => {
    const digest = proofDigest(crypto, distances, headDigest)
    const { suite, publicKey } = key
    return { suite, publicKey, distances, signature: sign(crypto, key, LABELS.batchSignature, digest) }
  })
  return { ahead, entries }
}

function parses(proof: Uint8Array): boolean {
  try {
    decodeProof(proof)
    return true
  } catch (error) {
    if (isAteError(error)) return false
    throw error
  }
}
