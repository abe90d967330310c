/**
 * The primitives the engine needs, as one narrow interface with two implementations that pass the same vectors:
 * noble (`noble-provider.ts`, anywhere) and native (`adapters/node/native-crypto.ts`, 30 to 50 times faster).
 * Everything is synchronous: one seal is microseconds, and callers on hot paths cannot afford a turn of the event loop.
 */
export interface CryptoProvider {
  /** `length` bytes from the system's generator. */
  randomBytes(length: number): Uint8Array
  /** SHA-256 of the concatenation of `parts` (32 bytes). */
  sha256(...parts: readonly Uint8Array[]): Uint8Array
  /** HMAC-SHA-256 of the concatenation of `parts` (32 bytes). */
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
  /** HKDF-SHA-256 (RFC 5869). */
  hkdfSha256(key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /**
   * AES-GCM with a 16, 24 or 32 byte key and a 12 byte nonce (SP 800-38D). Writes ciphertext then the 16 byte tag into
   * `target` from `targetStart`; `parts` are sealed as one message and
   * must not overlap the target, where plaintext may lie for a moment. Returns the bytes written: sum of parts + 16.
   * BAD_ARGUMENT for other lengths of key or nonce, or too small a target.
   */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    parts: readonly Uint8Array[],
    target: Uint8Array,
    targetStart: number,
  ): number
  /**
   * Opens ciphertext || tag: to `into`, which has exactly the length of the plaintext, or to new memory. Undefined when
   * the tag does not verify; never any unverified plaintext: what `into` holds is then zero. BAD_ARGUMENT for other lengths.
   */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
    into?: Uint8Array,
  ): Uint8Array | undefined
  /** Constant-time comparison; false for different lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean
  /** CRC-32 (IEEE 802.3): finds torn writes fast; never a defence. */
  crc32(bytes: Uint8Array, seed?: number): number
}

export const GCM_TAG_BYTES = 16
export const GCM_NONCE_BYTES = 12
