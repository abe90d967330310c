/**
 * CryptoProvider in pure JavaScript (@noble): runs anywhere, and is the second implementation that the native one is
 * tested against. Not constant time in the strict sense; Node uses the native provider.
 */
import { gcm } from '@noble/ciphers/aes.js'
import { randomBytes } from '@noble/hashes/utils.js'
import { byteLength, concatBytes } from '../bytes/concat.js'
import { isEqual } from './constant-time.js'
import { crc32 } from './crc32.js'
import { checkGcmArguments, checkOpenTarget, checkSealTarget, opened } from './gcm-arguments.js'
import { hkdfSha256, hmacSha256, sha256 } from './noble-hashes.js'
import { GCM_TAG_BYTES, type CryptoProvider } from './provider.js'

export const nobleProvider: CryptoProvider = {
  randomBytes,

  sha256,
  hmacSha256,
  hkdfSha256,

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

  equal: isEqual,
  crc32,
}
