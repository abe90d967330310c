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
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, PART_BYTES)
  const upper = (view.getUint8(6) & 0x1f) * 0x1_0000 + view.getUint16(4, true)
  return upper * TWO_32 + view.getUint32(0, true)
}
