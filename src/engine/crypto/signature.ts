/**
 * Hybrid signatures: Ed25519 and ML-DSA-65 (FIPS 204) together, and both must verify, so that either may break. Both
 * cover {label, suite, purpose, both public keys, digest}: neither half can be taken out and reused beside another
 * key or for another purpose. ML-DSA has its context string besides.
 *
 * Public key: Ed25519 (32) || ML-DSA-65 (1952). Signature: Ed25519 (64) || ML-DSA-65 (3309). Seed: 32 || 32.
 */
import { copyOf } from '../bytes/copy.js'
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js'
import { concatBytes } from '../bytes/concat.js'
import { AteError } from '../error.js'
import {
  ED25519_PUBLIC_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  ed25519PublicKey,
  signEd25519,
  verifyEd25519,
} from './ed25519.js'
import { LABELS } from './labels.js'
import type { CryptoProvider } from './provider.js'
import { SIGNATURE_ED25519_ML_DSA_65, type SignatureSuite } from './suites.js'
import { wipe } from './wipe.js'

export const SIGNING_SEED_BYTES = 64
export const SIGNATURE_PUBLIC_KEY_BYTES = ED25519_PUBLIC_KEY_BYTES + 1952
export const SIGNATURE_BYTES = ED25519_SIGNATURE_BYTES + 3309
export const SIGNED_DIGEST_BYTES = 32

export interface SigningKey {
  readonly suite: SignatureSuite
  /** Public. */
  readonly publicKey: Uint8Array
  /** Secret, 32 bytes. */
  readonly classical: Uint8Array
  /** Secret, the expanded ML-DSA key: expanding it costs 2 ms and happens once. */
  readonly postQuantum: Uint8Array
}

/** A new key from 64 random bytes, which are what is to be kept. */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  if (seed.length !== SIGNING_SEED_BYTES) {
    throw new AteError('BAD_ARGUMENT', `A signing seed has ${SIGNING_SEED_BYTES} bytes, not ${seed.length}.`)
  }
  const classical = copyOf(seed.subarray(0, 32))
  const pair = ml_dsa65.keygen(seed.subarray(32))
  return {
    suite: SIGNATURE_ED25519_ML_DSA_65,
    publicKey: concatBytes(ed25519PublicKey(classical), pair.publicKey),
    classical,
    postQuantum: pair.secretKey,
  }
}

export function wipeSigningKey(key: SigningKey): void {
  wipe(key.classical, key.postQuantum)
}

/** 32 bytes naming a public key of a suite. */
export function publicKeyId(crypto: CryptoProvider, suite: SignatureSuite, publicKey: Uint8Array): Uint8Array {
  return crypto.sha256(LABELS.publicKeyId, Uint8Array.of(suite), publicKey)
}

/**
 * Signs a 32-byte digest for one purpose (one of LABELS). About 7 ms, p99 36 ms: never on a request's path.
 * ML-DSA is hedged with fresh randomness, as FIPS 204 section 3.4 prefers.
 */
export function sign(crypto: CryptoProvider, key: SigningKey, purpose: Uint8Array, digest: Uint8Array): Uint8Array {
  const message = signedMessage(key.suite, purpose, key.publicKey, digest)
  const postQuantum = ml_dsa65.sign(message, key.postQuantum, {
    context: LABELS.signature,
    extraEntropy: crypto.randomBytes(32),
  })
  return concatBytes(signEd25519(key.classical, message), postQuantum)
}

/** True when both halves verify. False for anything else, wrong lengths included; about 3 ms. */
export function verify(
  suite: SignatureSuite,
  publicKey: Uint8Array,
  purpose: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== SIGNATURE_PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
  const message = signedMessage(suite, purpose, publicKey, digest)
  const classicalKey = publicKey.subarray(0, ED25519_PUBLIC_KEY_BYTES)
  if (!verifyEd25519(classicalKey, message, signature.subarray(0, ED25519_SIGNATURE_BYTES))) return false
  const postQuantumKey = publicKey.subarray(ED25519_PUBLIC_KEY_BYTES)
  const options = { context: LABELS.signature }
  return ml_dsa65.verify(signature.subarray(ED25519_SIGNATURE_BYTES), message, postQuantumKey, options)
}

/** Labels carry their lengths, the keys and the digest have fixed ones: the concatenation is unambiguous. */
function signedMessage(
  suite: SignatureSuite,
  purpose: Uint8Array,
  publicKey: Uint8Array,
  digest: Uint8Array,
): Uint8Array {
  if (digest.length !== SIGNED_DIGEST_BYTES) {
    throw new AteError('BAD_ARGUMENT', `A digest to sign has ${SIGNED_DIGEST_BYTES} bytes, not ${digest.length}.`)
  }
  return concatBytes(LABELS.signature, Uint8Array.of(suite), purpose, publicKey, digest)
}
