/** The keys that people hold: what opens to them, and what they may change. */
import { copyOf } from '../bytes/copy.js'
import { fromHex, toHex } from '../bytes/hex.js'
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { publicKeyId, type SigningKey, SIGNING_SEED_BYTES, signingKeyFromSeed } from '../crypto/signature.js'
import { AteError } from '../error.js'

declare const brand: unique symbol
/** Names a key and commits to it: 64 hexadecimal digits. Public. */
export type KeyId = string & { readonly [brand]: 'KeyId' }

export const KEY_ID_BYTES = 32
export const READ_KEY_BYTES = 32

/** Opens what is sealed for it. Whoever has it can read; never printed, and stored only sealed. */
export class ReadKey {
  /** Names the key; public. */
  readonly id: KeyId
  // Private, so that nothing that prints objects prints it.
  readonly #bytes: Uint8Array

  private constructor(id: KeyId, bytes: Uint8Array) {
    this.id = id
    this.#bytes = bytes
  }

  /** What is to be kept of it. Secret. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** A new key. For programs: `generateReadKey`. */
  static generate(crypto: CryptoProvider): ReadKey {
    return ReadKey.from(crypto, crypto.randomBytes(READ_KEY_BYTES))
  }

  /** BAD_ARGUMENT for another length than READ_KEY_BYTES. */
  static from(crypto: CryptoProvider, bytes: Uint8Array): ReadKey {
    if (bytes.length !== READ_KEY_BYTES)
      throw new AteError('BAD_ARGUMENT', `A read key has ${READ_KEY_BYTES} bytes, not ${bytes.length}.`)
    return new ReadKey(keyIdOf(crypto.sha256(LABELS.readKeyId, bytes)), copyOf(bytes))
  }

  /** Never the key. */
  toJSON(): string {
    return `read key ${this.id}`
  }
}

/** Changes what may be changed with it: Ed25519 and ML-DSA-65 together. */
export class WriteKey {
  /** Names the key; public. */
  readonly id: KeyId
  readonly #seed: Uint8Array
  readonly #signing: SigningKey

  private constructor(id: KeyId, seed: Uint8Array, signing: SigningKey) {
    this.id = id
    this.#seed = seed
    this.#signing = signing
  }

  /** What is to be kept of it. Secret. */
  get seed(): Uint8Array {
    return this.#seed
  }

  /**
   * Secret.
   *
   * @internal
   */
  get signing(): SigningKey {
    return this.#signing
  }

  /** Takes some milliseconds. */
  static generate(crypto: CryptoProvider): WriteKey {
    return WriteKey.fromSeed(crypto, crypto.randomBytes(SIGNING_SEED_BYTES))
  }

  /** The seed is what is to be kept of a key. BAD_ARGUMENT for another length than SIGNING_SEED_BYTES. */
  static fromSeed(crypto: CryptoProvider, seed: Uint8Array): WriteKey {
    const signing = signingKeyFromSeed(seed)
    return new WriteKey(keyIdOf(publicKeyId(crypto, signing.suite, signing.publicKey)), copyOf(seed), signing)
  }

  /** Never the key. */
  toJSON(): string {
    return `write key ${this.id}`
  }
}

export function keyIdOf(bytes: Uint8Array): KeyId {
  // The only maker of ids, of digests and of what was stored of them.
  return toHex(bytes) as KeyId
}

/** BAD_ARGUMENT for what is no id. */
export function keyIdBytes(id: KeyId): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new AteError('BAD_ARGUMENT', 'This is not the id of a key.')
  return fromHex(id)
}
