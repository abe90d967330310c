/**
 * A keyed digest of the set of all stored leaves that can be kept up to date leaf by leaf: the sum modulo 2^256 of
 * HMAC(key, store key || stored value). It tells an index whose leaves are each authentic but not all of one time.
 * (A multiset hash of the MSet-Add-Hash kind, Clarke et al. 2003; secret keyed, so adding is enough.)
 */
import { copyOf } from '../bytes/copy.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'

const BYTES = 32

export function setDigestKey(crypto: CryptoProvider, keys: ChainKeys): Uint8Array {
  return crypto.hkdfSha256(keys.index.key, keys.chainId, LABELS.indexRoot, BYTES)
}

export class SetDigest {
  readonly #crypto: CryptoProvider
  readonly #key: Uint8Array
  readonly #sum: Uint8Array

  constructor(crypto: CryptoProvider, key: Uint8Array, sum: Uint8Array = new Uint8Array(BYTES)) {
    this.#crypto = crypto
    this.#key = key
    this.#sum = copyOf(sum)
  }

  add(storeKey: Uint8Array, stored: Uint8Array): void {
    const term = this.#term(storeKey, stored)
    let carry = 0
    for (let i = 0; i < BYTES; i++) {
      carry += (this.#sum[i] ?? 0) + (term[i] ?? 0)
      this.#sum[i] = carry
      carry >>>= 8
    }
  }

  remove(storeKey: Uint8Array, stored: Uint8Array): void {
    const term = this.#term(storeKey, stored)
    let borrow = 0
    for (let i = 0; i < BYTES; i++) {
      const difference = (this.#sum[i] ?? 0) - (term[i] ?? 0) - borrow
      this.#sum[i] = difference
      borrow = difference < 0 ? 1 : 0
    }
  }

  value(): Uint8Array {
    return copyOf(this.#sum)
  }

  /** The seal's salt, nonce and tag stand for the value: its last 16 and first 45 bytes. */
  #term(storeKey: Uint8Array, stored: Uint8Array): Uint8Array {
    return this.#crypto.hmacSha256(this.#key, storeKey, stored.subarray(0, 45), stored.subarray(stored.length - 16))
  }
}
