/**
 * Seals what the index stores. Stored: format (1), salt (32), nonce (12), ciphertext, tag (16).
 * The sealing key is derived from the index key and the writing session's salt; nonces are random, so a restored or
 * copied index never repeats a (key, nonce). The stored key is authenticated: a value moved to another key fails.
 * A value set back to an older one of its own is caught by the digest of all values (`SetDigest`).
 */
import { toLatin1 } from '../bytes/latin1.js'
import { AteError } from '../error.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import { sealingKey } from '../crypto/chain-keys.js'
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { concatBytes } from '../bytes/concat.js'

const FORMAT = 1
const SALT_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + SALT_BYTES + NONCE_BYTES
export const SEAL_OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
/** SP 800-38D, 8.3: far below 2^32 random nonces under one key. */
const MAX_SEALS_PER_SALT = 2 ** 28
const KNOWN_SALTS = 64
const NOTHING: Uint8Array = new Uint8Array(0)

export class LeafSeal {
  readonly #crypto: CryptoProvider
  readonly #keys: ChainKeys
  readonly #derived = new Map<string, Uint8Array>()
  #salt: Uint8Array
  #sealKey: Uint8Array
  #seals = 0
  /** What was opened last: leaves of one session follow each other. */
  #lastSalt = NOTHING
  #lastKey = NOTHING
  /** Filled for each leaf, so that nothing is made for it. */
  #aad = NOTHING

  constructor(crypto: CryptoProvider, keys: ChainKeys) {
    this.#crypto = crypto
    this.#keys = keys
    this.#salt = crypto.randomBytes(SALT_BYTES)
    this.#sealKey = sealingKey(crypto, keys.index, this.#salt, keys.suite)
  }

  seal(storeKey: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#seals++ >= MAX_SEALS_PER_SALT) this.#renewSalt()
    const stored = new Uint8Array(plaintext.length + SEAL_OVERHEAD_BYTES)
    const nonce = this.#crypto.randomBytes(NONCE_BYTES)
    stored[0] = FORMAT
    stored.set(this.#salt, 1)
    stored.set(nonce, 1 + SALT_BYTES)
    this.#crypto.seal(this.#sealKey, nonce, this.#context(storeKey), [plaintext], stored, HEADER_BYTES)
    return stored
  }

  /** Undefined when the value is not authentic or not of this format. With `into` the plaintext is written there. */
  open(storeKey: Uint8Array, stored: Uint8Array, into?: Uint8Array): Uint8Array | undefined {
    if (stored.length < SEAL_OVERHEAD_BYTES || stored[0] !== FORMAT) return undefined
    const key = this.#keyFor(stored)
    const nonce = stored.subarray(1 + SALT_BYTES, HEADER_BYTES)
    return this.#crypto.open(key, nonce, this.#context(storeKey), stored.subarray(HEADER_BYTES), into)
  }

  /** As `open`; a value that does not verify is CHAIN_DAMAGED: the index must be rebuilt. */
  openOrThrow(storeKey: Uint8Array, stored: Uint8Array, into?: Uint8Array): Uint8Array {
    const plaintext = this.open(storeKey, stored, into)
    if (plaintext !== undefined) return plaintext
    throw new AteError('BODY_DAMAGED', 'a leaf of the index does not verify', {
      hint: 'close the chain, remove the index directory beside the log and open it again: it is rebuilt from the log',
    })
  }

  /** Good until the next one. */
  #context(storeKey: Uint8Array): Uint8Array {
    const keyAt = LABELS.indexLeaf.length + this.#keys.chainId.length
    if (this.#aad.length !== keyAt + storeKey.length)
      this.#aad = concatBytes(LABELS.indexLeaf, this.#keys.chainId, storeKey)
    else this.#aad.set(storeKey, keyAt)
    return this.#aad
  }

  #renewSalt(): void {
    this.#salt = this.#crypto.randomBytes(SALT_BYTES)
    this.#sealKey = sealingKey(this.#crypto, this.#keys.index, this.#salt, this.#keys.suite)
    this.#seals = 1
  }

  #keyFor(stored: Uint8Array): Uint8Array {
    let isLast = this.#lastSalt.length === SALT_BYTES
    for (let i = 0; isLast && i < SALT_BYTES; i++) isLast = this.#lastSalt[i] === stored[1 + i]
    if (isLast) return this.#lastKey
    // A copy: what is stored may lie in memory that is used again (and of a Buffer `slice` makes none).
    const salt = new Uint8Array(stored.subarray(1, 1 + SALT_BYTES))
    this.#lastKey = this.#keyOf(salt)
    this.#lastSalt = salt
    return this.#lastKey
  }

  #keyOf(salt: Uint8Array): Uint8Array {
    // latin1-like id: cheaper than hex, and only compared with itself.
    const id = toLatin1(salt)
    let key = this.#derived.get(id)
    if (key === undefined) {
      if (this.#derived.size >= KNOWN_SALTS) this.#derived.clear()
      key = sealingKey(this.#crypto, this.#keys.index, salt, this.#keys.suite)
      this.#derived.set(id, key)
    }
    return key
  }
}
