import { createPublicKey, verify as verifyNative } from 'node:crypto'
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { concatBytes } from '../../../src/engine/bytes/concat.js'
import { fromHex, toHex } from '../../../src/engine/bytes/hex.js'
import { ed25519PublicKey, isStrictEd25519, signEd25519, verifyEd25519 } from '../../../src/engine/crypto/ed25519.js'
import { ED25519_VECTORS } from '../../fixtures/vectors/public-key.js'

const { Point } = ed25519
const message = Uint8Array.of(1, 2, 3)
const seed = new Uint8Array(32).fill(7)
const publicKey = ed25519PublicKey(seed)
const signature = signEd25519(seed, message)
/** 2^255 - 19 + n: a second encoding of the small number n. */
const nonCanonical = (n: number): string => (0xed + n).toString(16) + 'ff'.repeat(30) + '7f'

interface Hostile {
  name: string
  publicKey: Uint8Array
  signature: Uint8Array
}

/** OpenSSL's verdict without our checks; undefined when it does not even take the key. */
function native(publicKey: Uint8Array, signature: Uint8Array): boolean {
  const der = concatBytes(fromHex('302a300506032b6570032100'), publicKey)
  const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
  return verifyNative(null, message, key, signature)
}

function noble(publicKey: Uint8Array, signature: Uint8Array, zip215: boolean): boolean {
  return ed25519.verify(signature, message, publicKey, { zip215 })
}

/** Ours, and OpenSSL behind the checks on bytes: the one rule in both implementations. */
function both(t: Test, { name, publicKey, signature }: Hostile, expected: boolean): void {
  t.equal(verifyEd25519(publicKey, message, signature), expected, `${name}: ours`)
  t.equal(isStrictEd25519(publicKey, signature) && native(publicKey, signature), expected, `${name}: native`)
}

t.test('the vectors of RFC 8032 hold', async (t) => {
  for (const vector of ED25519_VECTORS) {
    const bytes = fromHex(vector.message)
    t.equal(toHex(ed25519PublicKey(fromHex(vector.seed))), vector.publicKey)
    t.equal(toHex(signEd25519(fromHex(vector.seed), bytes)), vector.signature)
    t.equal(verifyEd25519(fromHex(vector.publicKey), bytes, fromHex(vector.signature)), true)
  }
})

t.test('a key of small order is refused: such a signature fits any message, and OpenSSL takes it', async (t) => {
  const s = new Uint8Array(32)
  let takenByNative = 0
  for (const key of ED25519_TORSION_SUBGROUP.map(fromHex)) {
    // With S = 0 the equation is R = -[k]A, so some R of small order fits.
    for (const r of ED25519_TORSION_SUBGROUP.map(fromHex)) {
      const hostile = { name: toHex(key), publicKey: key, signature: concatBytes(r, s) }
      if (native(key, hostile.signature)) takenByNative++
      both(t, hostile, false)
    }
  }
  t.ok(takenByNative > 0, 'OpenSSL alone takes them')
})

t.test('an encoding of y at or above the field order is refused, as key and as R', async (t) => {
  for (let n = 0; n < 19; n++) {
    for (const sign of [0, 0x80]) {
      const point = fromHex(nonCanonical(n))
      point[31] = (point[31] ?? 0) | sign
      t.equal(isStrictEd25519(point, signature), false)
      t.equal(isStrictEd25519(publicKey, concatBytes(point, signature.subarray(32))), false)
      both(t, { name: `key ${n}`, publicKey: point, signature }, false)
    }
  }
})

t.test('an encoding of x = 0 with the sign bit set is refused', async (t) => {
  for (const y of ['01' + '00'.repeat(30) + '80', 'ec' + 'ff'.repeat(31)]) {
    const point = fromHex(y)
    both(t, { name: `key ${y}`, publicKey: point, signature }, false)
    both(t, { name: `R ${y}`, publicKey, signature: concatBytes(point, signature.subarray(32)) }, false)
  }
})

t.test('S plus the group order is refused: a signature has one spelling', async (t) => {
  const order = Point.Fn.ORDER
  const s = littleEndian(signature.subarray(32))
  for (let factor = 1n; s + factor * order < 1n << 256n; factor++) {
    const malleable = concatBytes(signature.subarray(0, 32), bytesOf(s + factor * order))
    both(t, { name: `${factor} times`, publicKey, signature: malleable }, false)
  }
})

t.test('an R with a part of small order is refused, which noble alone takes', async (t) => {
  for (const torsion of ED25519_TORSION_SUBGROUP.slice(1)) {
    const hostile = withTorsion(0n, torsion)
    t.equal(noble(hostile.publicKey, hostile.signature, false), true, 'noble takes it with zip215: false')
    both(t, hostile, false)
  }
})

t.test('a key with a part of small order gets one verdict from both implementations', async (t) => {
  const verdicts = { taken: 0, refused: 0 }
  for (let nonce = 1n; nonce <= 24n; nonce++) {
    const hostile = withTorsionInKey(nonce)
    const expected = native(hostile.publicKey, hostile.signature)
    verdicts[expected ? 'taken' : 'refused']++
    t.equal(noble(hostile.publicKey, hostile.signature, false), true)
    both(t, hostile, expected)
  }
  t.ok(verdicts.taken > 0 && verdicts.refused > 0, 'the case has both outcomes')
})

t.test('ours agrees with OpenSSL on random keys, messages and damage', async (t) => {
  const bit = fc.option(fc.nat(64 * 8 + 32 * 8 - 1), { nil: undefined })
  const property = fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bit, (seed, bit) => {
    const bytes = concatBytes(ed25519PublicKey(seed), signEd25519(seed, message))
    if (bit !== undefined) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const [key, damaged] = [bytes.subarray(0, 32), bytes.subarray(32)]
    both(t, { name: 'random', publicKey: key, signature: damaged }, bit === undefined)
  })
  fc.assert(property, { seed: 20250105, numRuns: 40 })
})

t.test('other lengths and S = 0 are no signature', async (t) => {
  t.equal(verifyEd25519(publicKey.subarray(1), message, signature), false)
  t.equal(verifyEd25519(publicKey, message, signature.subarray(1)), false)
  t.equal(verifyEd25519(publicKey, message, new Uint8Array(65)), false)
  both(t, { name: 'zeros', publicKey, signature: new Uint8Array(64) }, false)
  t.equal(verifyEd25519(publicKey, Uint8Array.of(1, 2), signature), false)
})

/** A signature of `message` by a known scalar whose R has a component of small order added. */
function withTorsion(nonce: bigint, torsionHex: string): Hostile {
  const scalar = 12345678901234567890n
  const key = Point.BASE.multiply(scalar).toBytes()
  const torsion = Point.fromBytes(fromHex(torsionHex))
  const r = Point.BASE.multiply(nonce + 99n).add(torsion)
  return { name: `R with ${torsionHex}`, publicKey: key, signature: signed(key, r.toBytes(), scalar, nonce + 99n) }
}

/** A signature by a key that has a component of order 8: right when 8 divides k, whatever the torsion. */
function withTorsionInKey(nonce: bigint): Hostile {
  const scalar = 98765432109876543210n
  const torsion = Point.fromBytes(fromHex(ED25519_TORSION_SUBGROUP[1] ?? ''))
  const key = Point.BASE.multiply(scalar).add(torsion).toBytes()
  const r = Point.BASE.multiply(nonce).toBytes()
  return { name: `mixed key, nonce ${nonce}`, publicKey: key, signature: signed(key, r, scalar, nonce) }
}

function signed(key: Uint8Array, r: Uint8Array, scalar: bigint, nonce: bigint): Uint8Array {
  const k = Point.Fn.create(littleEndian(sha512(concatBytes(r, key, message))))
  return concatBytes(r, bytesOf(Point.Fn.create(nonce + k * scalar)))
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt('0x' + toHex(bytes.slice().reverse()))
}

function bytesOf(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')).reverse()
}
