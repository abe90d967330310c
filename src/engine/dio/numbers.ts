/** Random and hashed integers below 2^53: the parts of keys. */
import type { CryptoProvider } from '../crypto/provider.js'

const PART_BYTES = 7
const POOL_BYTES = 512 * PART_BYTES
const TWO_32 = 0x1_0000_0000

export class RandomNumbers {
  readonly #crypto: CryptoProvider
  #pool: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto
  }

  /** Uniform in [0, 2^53). */
  next(): number {
    if (this.#at + PART_BYTES > this.#pool.length) {
      this.#pool = this.#crypto.randomBytes(POOL_BYTES)
      this.#at = 0
    }
    const value = numberAt(this.#pool, this.#at)
    this.#at += PART_BYTES
    return value
  }
}

const utf8 = new TextEncoder()

/** The first 53 bits of the digest of the texts, each with its length before it. */
export function hashTexts(crypto: CryptoProvider, ...texts: readonly string[]): number {
  const parts = texts.flatMap((text) => {
    const bytes = utf8.encode(text)
    return [new Uint8Array(Uint32Array.of(bytes.length).buffer), bytes]
  })
  return numberAt(crypto.sha256(...parts), 0)
}

/** 53 bits of the 7 bytes at `at`. */
function numberAt(bytes: Uint8Array, at: number): number {
  const byte = (i: number): number => bytes[at + i] ?? 0
  const lower = byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)
  const upper = byte(4) | (byte(5) << 8) | ((byte(6) & 0x1f) << 16)
  return upper * TWO_32 + (lower >>> 0)
}
