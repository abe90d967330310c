/** The hashes of `CryptoProvider` in pure JavaScript, each by itself: a program that needs one carries no other. */
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as sha256Of } from '@noble/hashes/sha2.js'

/**
 * SHA-256 (FIPS 180-4) of `parts`, one after another.
 *
 * @returns 32 bytes.
 */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256Of.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/**
 * HMAC-SHA-256 (RFC 2104) of `parts`, one after another.
 *
 * @returns 32 bytes.
 */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = hmac.create(sha256Of, key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/**
 * HKDF-SHA-256 (RFC 5869): makes keys of a key. It does not make a key of a passphrase: see `keyFromPassphrase`.
 *
 * @param key - Anything with enough entropy.
 * @param salt - May be empty.
 * @param info - What the new key is for.
 * @param length - Bytes, at most 8160.
 * @returns `length` bytes.
 */
export function hkdfSha256(key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return hkdf(sha256Of, key, salt, info, length)
}
