/**
 * Ed25519 (RFC 8032) under one rule for hostile input, so that every reader of a chain gives the same verdict:
 * canonical A, R and S, no A of small order, and the equation without the cofactor, [S]B = R + [k]A.
 *
 * That is what OpenSSL computes once `isStrictEd25519` has passed. Noble's own `verify` multiplies by the cofactor even
 * with `zip215: false` and so accepts an R with a small-order component that OpenSSL refuses; hence the equation here.
 */
import { copyOf } from '../bytes/copy.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes } from '../bytes/concat.js'
import { equalBytes } from '../bytes/equal.js'
import { fromHex } from '../bytes/hex.js'

export const ED25519_PUBLIC_KEY_BYTES = 32
export const ED25519_SIGNATURE_BYTES = 64

const { Point } = ed25519

/** 2^255 - 19, little-endian. */
const FIELD_ORDER = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
/** Order of the base point, 2^252 + 27742317777372353535851937790883648493, little-endian. */
const GROUP_ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/** y of the eight points whose order divides the cofactor, sign bit cleared: 0, 1, -1 and the two of order 8. */
const SMALL_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(fromHex)

/** The checks on the bytes alone, required before any implementation is asked. Lengths are part of them. */
export function isStrictEd25519(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ED25519_PUBLIC_KEY_BYTES || signature.length !== ED25519_SIGNATURE_BYTES) return false
  const keyY = withoutSign(publicKey)
  return (
    isBelow(keyY, FIELD_ORDER) &&
    !SMALL_ORDER_Y.some((y) => equalBytes(y, keyY)) &&
    isBelow(withoutSign(signature.subarray(0, 32)), FIELD_ORDER) &&
    isBelow(signature.subarray(32), GROUP_ORDER)
  )
}

/** False for anything that is not a signature of `message`; never throws on bytes. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isStrictEd25519(publicKey, signature)) return false
  const r = signature.subarray(0, 32)
  try {
    const a = Point.fromBytes(publicKey)
    const s = Point.Fn.fromBytes(signature.subarray(32))
    const k = Point.Fn.create(littleEndian(sha512(concatBytes(r, publicKey, message))))
    const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k))
    // Comparing encodings refuses a non-canonical R as well.
    return equalBytes(expected.toBytes(), r)
  } catch {
    // A is not on the curve.
    return false
  }
}

export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed)
}

export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed)
}

function withoutSign(encoded: Uint8Array): Uint8Array {
  const y = copyOf(encoded)
  y[31] = (y[31] ?? 0) & 0x7f
  return y
}

/** Little-endian comparison of equally long numbers. */
function isBelow(value: Uint8Array, limit: Uint8Array): boolean {
  for (let i = limit.length - 1; i >= 0; i--) {
    const difference = (value[i] ?? 0) - (limit[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  return value
}
