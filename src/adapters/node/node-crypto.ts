/**
 * CryptoProvider on node:crypto and node:zlib. Inputs may be views of shared memory; results are plain Uint8Arrays,
 * never Buffers (whose `slice` shares instead of copying). Node has no call that writes a cipher's output into memory
 * of ours: where `openssl-crypto.ts` can, it does the sealing and hashing instead.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hash,
  hkdfSync,
  randomFillSync,
  timingSafeEqual,
  type CipherGCMTypes,
} from 'node:crypto'
import { crc32 } from 'node:zlib'
import { byteLength } from '../../engine/bytes/concat.js'
import { checkGcmArguments, checkOpenTarget, checkSealTarget, opened } from '../../engine/crypto/gcm-arguments.js'
import { GCM_TAG_BYTES, type CryptoProvider } from '../../engine/crypto/provider.js'

/** A draw from the system costs 1.8 us whatever its size, so nonces and ids come from a pool; keys never do. */
const POOL_BYTES = 4096
const LARGEST_FROM_POOL = 16
const pool = new Uint8Array(POOL_BYTES)
let poolOffset = POOL_BYTES

/** Small messages in several parts are gathered here: one call into native code instead of three. */
const gathered = new Uint8Array(4096)

export const nodeCrypto: CryptoProvider = {
  randomBytes(length) {
    if (length > LARGEST_FROM_POOL) return randomFillSync(new Uint8Array(length))
    if (poolOffset + length > POOL_BYTES) {
      randomFillSync(pool)
      poolOffset = 0
    }
    const start = poolOffset
    poolOffset += length
    const bytes = pool.slice(start, poolOffset)
    pool.fill(0, start, poolOffset)
    return bytes
  },

  sha256(...parts) {
    const only = parts[0]
    if (parts.length === 1 && only !== undefined) return plain(hash('sha256', only, 'buffer'))
    const total = byteLength(parts)
    if (total > gathered.length) {
      const hashing = createHash('sha256')
      for (const part of parts) hashing.update(part)
      return plain(hashing.digest())
    }
    gather(parts, gathered, 0)
    const digest = hash('sha256', gathered.subarray(0, total), 'buffer')
    // A part may have been a key.
    gathered.fill(0, 0, total)
    return plain(digest)
  },

  hmacSha256(key, ...parts) {
    const mac = createHmac('sha256', key)
    for (const part of parts) mac.update(part)
    return plain(mac.digest())
  },

  hkdfSha256(key, salt, info, length) {
    return new Uint8Array(hkdfSync('sha256', key, salt, info, length))
  },

  seal(key, nonce, aad, parts, target, targetStart) {
    checkGcmArguments(key, nonce)
    const length = byteLength(parts)
    checkSealTarget(length + GCM_TAG_BYTES, target, targetStart)
    const cipher = createCipheriv(gcmOf(key), key, nonce)
    cipher.setAAD(aad)
    const only = parts[0]
    if (parts.length === 1 && only !== undefined) {
      target.set(cipher.update(only), targetStart)
    } else if (length > 0) {
      gather(parts, target, targetStart)
      target.set(cipher.update(target.subarray(targetStart, targetStart + length)), targetStart)
    }
    cipher.final()
    target.set(cipher.getAuthTag(), targetStart + length)
    return length + GCM_TAG_BYTES
  },

  open(key, nonce, aad, sealed, into) {
    checkGcmArguments(key, nonce)
    const length = sealed.length - GCM_TAG_BYTES
    if (length < 0) return undefined
    checkOpenTarget(length, into)
    const decipher = createDecipheriv(gcmOf(key), key, nonce, { authTagLength: GCM_TAG_BYTES })
    decipher.setAAD(aad)
    decipher.setAuthTag(sealed.subarray(length))
    const plaintext = decipher.update(sealed.subarray(0, length))
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      return opened(undefined, into)
    }
    return opened(plain(plaintext), into)
  },

  equal(a, b) {
    return a.length === b.length && timingSafeEqual(a, b)
  },

  crc32(bytes, seed = 0) {
    // zlib takes an array without memory for the beginning of a new sum.
    return bytes.length === 0 ? seed : crc32(bytes, seed)
  },
}

function gcmOf(key: Uint8Array): CipherGCMTypes {
  return key.length === 32 ? 'aes-256-gcm' : key.length === 24 ? 'aes-192-gcm' : 'aes-128-gcm'
}

function gather(parts: readonly Uint8Array[], target: Uint8Array, targetStart: number): void {
  let offset = targetStart
  for (const part of parts) {
    target.set(part, offset)
    offset += part.length
  }
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
