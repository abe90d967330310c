/**
 * Sealing, opening and hashing through OpenSSL directly. Used only after it has given what node:crypto gives. The contexts
 * keep the last key's schedule, as the process keeps the chain's keys, until it ends.
 */
import { byteLength } from '../../engine/bytes/concat.js'
import { checkGcmArguments, checkOpenTarget, checkSealTarget } from '../../engine/crypto/gcm-arguments.js'
import { GCM_TAG_BYTES, type CryptoProvider } from '../../engine/crypto/provider.js'
import { AteError } from '../../engine/error.js'
import { loadOpenSsl, type Gcm, type OpenSsl } from './libc/openssl.js'
import { nodeCrypto } from './node-crypto.js'

type Direct = Pick<CryptoProvider, 'seal' | 'open' | 'sha256'>

const DIGEST_BYTES = 32
/** OpenSSL counts in 32-bit integers. No group comes near. */
const MAX_MESSAGE_BYTES = 2 ** 30

/** Undefined where Node's OpenSSL cannot be called, or does not do what it must. */
export function opensslCrypto(): Direct | undefined {
  try {
    const direct = bind(loadOpenSsl())
    return isSound(direct) ? direct : undefined
  } catch {
    return undefined
  }
}

function bind(openSsl: OpenSsl): Direct {
  const sealers = lazily((keyBytes) => openSsl.gcm(keyBytes, 'seal'))
  const openers = lazily((keyBytes) => openSsl.gcm(keyBytes, 'open'))
  return {
    seal(key, nonce, aad, parts, target, targetStart) {
      checkGcmArguments(key, nonce)
      const length = checkedLength(byteLength(parts))
      checkSealTarget(length + GCM_TAG_BYTES, target, targetStart)
      const cipher = sealers(key)
      let isSealed = cipher.begin(key, nonce, aad)
      let at = targetStart
      for (const part of parts) {
        isSealed &&= part.length === 0 || cipher.update(target.subarray(at), part)
        at += part.length
      }
      isSealed &&= cipher.finish(target.subarray(at, at + GCM_TAG_BYTES))
      if (!isSealed) throw new Error('OpenSSL could not seal')
      return length + GCM_TAG_BYTES
    },

    open(key, nonce, aad, sealed, into) {
      checkGcmArguments(key, nonce)
      const length = checkedLength(sealed.length) - GCM_TAG_BYTES
      if (length < 0) return undefined
      checkOpenTarget(length, into)
      const cipher = openers(key)
      // Not zeroed: every byte is written before anybody sees it.
      const opened = into ?? new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
      const isDeciphered =
        cipher.begin(key, nonce, aad) && (length === 0 || cipher.update(opened, sealed.subarray(0, length)))
      if (isDeciphered && cipher.verify(sealed.subarray(length))) return opened
      opened.fill(0)
      return undefined
    },

    sha256(...parts) {
      const digest = new Uint8Array(DIGEST_BYTES)
      if (!openSsl.sha256(parts, digest)) throw new Error('OpenSSL could not hash')
      return digest
    },
  }
}

/** One context for each length of key, made when it is first needed. */
function lazily(make: (keyBytes: 16 | 24 | 32) => Gcm): (key: Uint8Array) => Gcm {
  const made: Partial<Record<16 | 24 | 32, Gcm>> = {}
  return (key) => {
    const keyBytes = key.length === 32 ? 32 : key.length === 24 ? 24 : 16
    return (made[keyBytes] ??= make(keyBytes))
  }
}

function checkedLength(length: number): number {
  if (length <= MAX_MESSAGE_BYTES) return length
  throw new AteError('BAD_ARGUMENT', `A message of ${length} bytes is too large.`)
}

/** Whether it does the same as node:crypto, for each length of key, in both directions, and refuses a forgery. */
function isSound(direct: Direct): boolean {
  const message = nodeCrypto.randomBytes(100)
  const parts = [message.subarray(0, 33), message.subarray(33)]
  for (const keyBytes of [16, 24, 32]) {
    const key = nodeCrypto.randomBytes(keyBytes)
    const nonce = nodeCrypto.randomBytes(12)
    const sealed = new Uint8Array(message.length + GCM_TAG_BYTES)
    direct.seal(key, nonce, message, parts, sealed, 0)
    const opened = nodeCrypto.open(key, nonce, message, sealed)
    const reopened = direct.open(key, nonce, message, sealed)
    if (opened === undefined || reopened === undefined) return false
    if (!nodeCrypto.equal(opened, message) || !nodeCrypto.equal(reopened, message)) return false
    sealed[50] = 255 - (sealed[50] ?? 0)
    if (direct.open(key, nonce, message, sealed) !== undefined) return false
  }
  return nodeCrypto.equal(direct.sha256(...parts), nodeCrypto.sha256(message))
}
