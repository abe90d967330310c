/**
 * CryptoProvider in pure JavaScript (@noble): runs anywhere, and is the second implementation that the native one is
 * tested against. Not constant time in the strict sense; Node uses the native provider.
 */
import { gcm } from '@noble/ciphers/aes.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { randomBytes } from '@noble/hashes/utils.js'
import { byteLength, concatBytes } from '../bytes/concat.js'
import { crc32 } from './crc32.js'
import { checkGcmArguments, checkOpenTarget, checkSealTarget, opened } from './gcm-arguments.js'
import { GCM_TAG_BYTES, type CryptoProvider } from './provider.js'

export const nobleProvider: CryptoProvider = {
  randomBytes,

  sha256(...parts) {
    const hash = sha256.create()
    for (const part of parts) hash.update(part)
    return hash.digest()
  },

  hmacSha256(key, ...parts) {
    const mac = hmac.create(sha256, key)
    for (const part of parts) mac.update(part)
    return mac.digest()
  },

  hkdfSha256(key, salt, info, length) {
    return hkdf(sha256, key, salt, info, length)
  },

  seal(key, nonce, aad, parts, target, targetStart) {
    checkGcmArguments(key, nonce)
    checkSealTarget(byteLength(parts) + GCM_TAG_BYTES, target, targetStart)
    const sealed = gcm(key, nonce, aad).encrypt(concatBytes(...parts))
    target.set(sealed, targetStart)
    return sealed.length
  },

  open(key, nonce, aad, sealed, into) {
    checkGcmArguments(key, nonce)
    if (sealed.length < GCM_TAG_BYTES) return undefined
    checkOpenTarget(sealed.length - GCM_TAG_BYTES, into)
    const cipher = gcm(key, nonce, aad)
    let plaintext: Uint8Array | undefined
    try {
      plaintext = cipher.decrypt(sealed)
    } catch {
      // Arguments were checked when the cipher was made: all that is left to throw is the tag.
    }
    return opened(plaintext, into)
  },

  equal(a, b) {
    if (a.length !== b.length) return false
    let difference = 0
    for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
    return difference === 0
  },

  crc32,
}
