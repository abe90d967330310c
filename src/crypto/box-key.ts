/** Sealing for somebody of whom one has the public key only: X25519 and ML-KEM-768 (FIPS 203) together, then AES-256-GCM. */
import { copyOf } from '../engine/bytes/copy.js'
import { openBox, sealBox } from '../engine/crypto/box.js'
import { BOX_SEED_BYTES, boxPublicKey } from '../engine/crypto/kem.js'
import { nobleProvider } from '../engine/crypto/noble-provider.js'
import { BOX_X25519_ML_KEM_768 } from '../engine/crypto/suites.js'
import { AteError } from '../engine/error.js'
import { randomBytes } from './random-bytes.js'

const NO_CONTEXT = new Uint8Array(0)

/** A key that opens what others have sealed for it. */
export class BoxKey {
  // Private, so that nothing that prints objects prints it.
  readonly #seed: Uint8Array
  /** 1,216 bytes: what others seal with. */
  readonly publicKey: Uint8Array

  private constructor(seed: Uint8Array, publicKey: Uint8Array) {
    this.#seed = seed
    this.publicKey = publicKey
  }

  /** A new key. Takes some milliseconds. */
  static generate(): BoxKey {
    return BoxKey.fromSeed(randomBytes(BOX_SEED_BYTES))
  }

  /** The key of a seed of 32 random bytes. BAD_ARGUMENT for another length. Takes some milliseconds. */
  static fromSeed(seed: Uint8Array): BoxKey {
    return new BoxKey(copyOf(seed), boxPublicKey(BOX_X25519_ML_KEM_768, seed))
  }

  /** 32 bytes: what is to be kept of the key. Secret. */
  get seed(): Uint8Array {
    return this.#seed
  }

  /**
   * Opens what `sealFor` has sealed for this key. BODY_DAMAGED when it was sealed for another key or context, or was changed.
   * Takes some milliseconds.
   */
  unseal(box: Uint8Array, context: Uint8Array = NO_CONTEXT): Uint8Array {
    const message = openBox(nobleProvider, BOX_X25519_ML_KEM_768, this.#seed, context, box)
    if (message === undefined) throw new AteError('BODY_DAMAGED', 'The box was not sealed for this key and context.')
    return message
  }

  /** Never the key. */
  toJSON(): string {
    return 'box key'
  }
}

/**
 * Seals a message for the owner of a public key. It does not say who has sealed it: sign what must be known to be yours.
 * BAD_FORMAT for what is no public key. Takes some milliseconds.
 *
 * @param publicKey - 1,216 bytes.
 * @param context - What the message is and where it belongs; the same must be given to open it. Not secret, not stored.
 * @returns 1,136 bytes more than the message.
 */
export function sealFor(publicKey: Uint8Array, message: Uint8Array, context: Uint8Array = NO_CONTEXT): Uint8Array {
  return sealBox(nobleProvider, BOX_X25519_ML_KEM_768, publicKey, context, message)
}
