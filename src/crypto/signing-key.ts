/** Signatures that a quantum computer does not forge either: Ed25519 and ML-DSA-65 (FIPS 204) together. */
import { copyOf } from '../engine/bytes/copy.js'
import { LABELS } from '../engine/crypto/labels.js'
import { nobleProvider } from '../engine/crypto/noble-provider.js'
import { sha256 } from '../engine/crypto/noble-hashes.js'
import {
  sign,
  SIGNING_SEED_BYTES,
  type SigningKey as KeyPair,
  signingKeyFromSeed,
  verify as verifyDigest,
} from '../engine/crypto/signature.js'
import { SIGNATURE_ED25519_ML_DSA_65 } from '../engine/crypto/suites.js'
import { randomBytes } from './random-bytes.js'

/** A key that signs. */
export class SigningKey {
  // Private, so that nothing that prints objects prints them.
  readonly #seed: Uint8Array
  readonly #pair: KeyPair

  private constructor(seed: Uint8Array, pair: KeyPair) {
    this.#seed = seed
    this.#pair = pair
  }

  /** A new key. Takes some milliseconds. */
  static generate(): SigningKey {
    return SigningKey.fromSeed(randomBytes(SIGNING_SEED_BYTES))
  }

  /** The key of a seed of 64 random bytes. BAD_ARGUMENT for another length. Takes some milliseconds. */
  static fromSeed(seed: Uint8Array): SigningKey {
    return new SigningKey(copyOf(seed), signingKeyFromSeed(seed))
  }

  /** 64 bytes: what is to be kept of the key. Secret. */
  get seed(): Uint8Array {
    return this.#seed
  }

  /** 1,984 bytes: what others verify with. */
  get publicKey(): Uint8Array {
    return this.#pair.publicKey
  }

  /** Signs a message of any length. Takes some 10 ms. Returns 3,373 bytes, which differ each time. */
  sign(message: Uint8Array): Uint8Array {
    return sign(nobleProvider, this.#pair, LABELS.message, digestOf(message))
  }

  /** Never the key. */
  toJSON(): string {
    return 'signing key'
  }
}

/**
 * Whether the key has signed just this message: both signatures must be right. False for anything else, of whatever length. Takes
 * some milliseconds.
 *
 * @param publicKey - 1,984 bytes.
 * @param signature - 3,373 bytes.
 */
export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return verifyDigest(SIGNATURE_ED25519_ML_DSA_65, publicKey, LABELS.message, digestOf(message), signature)
}

function digestOf(message: Uint8Array): Uint8Array {
  return sha256(LABELS.message, message)
}
