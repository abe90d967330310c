/** What every CryptoProvider must do. Called by the tests of the implementations; never run by itself. */
import type { Test } from 'tap'
import { concatBytes } from '../../src/engine/bytes/concat.js'
import { fromHex, toHex } from '../../src/engine/bytes/hex.js'
import { fromLatin1 } from '../../src/engine/bytes/latin1.js'
import { GCM_TAG_BYTES, type CryptoProvider } from '../../src/engine/crypto/provider.js'
import { GCM_VECTORS } from '../fixtures/vectors/aes-gcm.js'
import { CRC32_VECTORS, HKDF_SHA256_VECTORS, HMAC_SHA256_VECTORS, SHA256_VECTORS } from '../fixtures/vectors/hashes.js'

export async function cryptoProvider(t: Test, crypto: CryptoProvider): Promise<void> {
  await hashes(t, crypto)
  await sealing(t, crypto)
  await hostileSeals(t, crypto)
  await misuse(t, crypto)
  await randomness(t, crypto)
}

async function hashes(t: Test, crypto: CryptoProvider): Promise<void> {
  await t.test('SHA-256 gives the digests of FIPS 180-4, however the message is split', async (t) => {
    for (const { message, digest } of SHA256_VECTORS) {
      const bytes = fromLatin1(message)
      t.equal(toHex(crypto.sha256(bytes)), digest)
      t.equal(toHex(crypto.sha256(...split(bytes, [0, 1, 3]))), digest)
    }
    t.equal(toHex(crypto.sha256()), SHA256_VECTORS[0]?.digest, 'no part is the empty message')
  })

  await t.test('HMAC-SHA-256 gives the tags of RFC 4231, however the message is split', async (t) => {
    for (const { key, data, mac } of HMAC_SHA256_VECTORS) {
      t.equal(toHex(crypto.hmacSha256(fromHex(key), fromHex(data))), mac)
      t.equal(toHex(crypto.hmacSha256(fromHex(key), ...split(fromHex(data), [2, 5]))), mac)
    }
  })

  await t.test('HKDF-SHA-256 gives the keys of RFC 5869', async (t) => {
    for (const { key, salt, info, output } of HKDF_SHA256_VECTORS) {
      const derived = crypto.hkdfSha256(fromHex(key), fromHex(salt), fromHex(info), output.length / 2)
      t.equal(toHex(derived), output)
    }
  })

  await t.test('CRC-32 gives the check value, also when continued', async (t) => {
    for (const { message, crc } of CRC32_VECTORS) {
      const bytes = fromLatin1(message)
      t.equal(crypto.crc32(bytes), crc)
      t.equal(crypto.crc32(bytes.subarray(4), crypto.crc32(bytes.subarray(0, 4))), crc)
    }
  })

  await t.test('equal compares contents and lengths', async (t) => {
    t.equal(crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true)
    t.equal(crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false)
    t.equal(crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0)), false)
    t.equal(crypto.equal(new Uint8Array(0), new Uint8Array(0)), true)
  })
}

async function sealing(t: Test, crypto: CryptoProvider): Promise<void> {
  for (const vector of GCM_VECTORS) {
    await t.test(`AES-${vector.key.length * 4}-GCM seals and opens ${vector.name}`, async (t) => {
      const { key, nonce, aad, plaintext } = parsed(vector)
      const expected = vector.ciphertext + vector.tag
      for (const parts of [[plaintext], split(plaintext, [7, 20]), split(plaintext, [0, plaintext.length])]) {
        const target = new Uint8Array(plaintext.length + GCM_TAG_BYTES + 10).fill(0xaa)
        t.equal(crypto.seal(key, nonce, aad, parts, target, 5), plaintext.length + GCM_TAG_BYTES)
        t.equal(toHex(target), `aaaaaaaaaa${expected}aaaaaaaaaa`, 'and nothing beside its place is touched')
      }
      t.same(crypto.open(key, nonce, aad, fromHex(expected)), plaintext)
      const memory = new Uint8Array(plaintext.length + 2).fill(0xaa)
      const into = memory.subarray(1, 1 + plaintext.length)
      t.equal(crypto.open(key, nonce, aad, fromHex(expected), into), into)
      t.equal(toHex(memory), `aa${toHex(plaintext)}aa`, 'opened into its place, and nothing beside it is touched')
      t.equal(
        crypto.open(key, nonce, flipped(concatBytes(aad, Uint8Array.of(1)), 0), fromHex(expected), into),
        undefined,
      )
      t.ok(
        into.every((byte) => byte === 0),
        'nothing unverified is left',
      )
    })
  }

  await t.test('memory shared between threads is sealed, opened and hashed like any other', async (t) => {
    const shared = new Uint8Array(new SharedArrayBuffer(300))
    for (let i = 0; i < shared.length; i++) shared[i] = i
    const [key, nonce, aad, text] = [
      [0, 32],
      [32, 44],
      [44, 60],
      [60, 160],
    ].map(([a, b]) => shared.subarray(a, b))
    if (key === undefined || nonce === undefined || aad === undefined || text === undefined) throw new Error('four')
    const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes)
    const expected = new Uint8Array(116)
    crypto.seal(plain(key), plain(nonce), plain(aad), [plain(text)], expected, 0)
    crypto.seal(key, nonce, aad, [text.subarray(0, 30), text.subarray(30)], shared, 160)
    const sealed = shared.subarray(160, 276)
    t.same(plain(sealed), expected)
    t.same(crypto.open(key, nonce, aad, sealed), plain(text))
    t.same(crypto.sha256(text), crypto.sha256(plain(text)))
    t.same(crypto.hmacSha256(key, text), crypto.hmacSha256(plain(key), plain(text)))
    t.equal(crypto.crc32(text), crypto.crc32(plain(text)))
  })

  await t.test('results are plain arrays of their own, whose slice copies', async (t) => {
    const key = new Uint8Array(32)
    const sealed = new Uint8Array(20)
    crypto.seal(key, new Uint8Array(12), key, [Uint8Array.of(1, 2, 3, 4)], sealed, 0)
    const results = {
      sha256: crypto.sha256(key),
      hmacSha256: crypto.hmacSha256(key, key),
      hkdfSha256: crypto.hkdfSha256(key, key, key, 32),
      randomBytes: crypto.randomBytes(8),
      open: crypto.open(key, new Uint8Array(12), key, sealed),
    }
    for (const [name, bytes] of Object.entries(results)) {
      t.equal(bytes?.constructor, Uint8Array, name)
      const copy = bytes?.slice()
      bytes?.fill(0xff)
      t.notSame(copy, bytes, name)
    }
  })
}

async function hostileSeals(t: Test, crypto: CryptoProvider): Promise<void> {
  const last = GCM_VECTORS[GCM_VECTORS.length - 1]
  if (last === undefined) throw new Error('no vectors')
  const { key, nonce, aad } = parsed(last)
  const sealed = fromHex(last.ciphertext + last.tag)

  await t.test('a flipped bit anywhere in the sealed bytes is refused', async (t) => {
    for (let bit = 0; bit < sealed.length * 8; bit++)
      t.equal(crypto.open(key, nonce, aad, flipped(sealed, bit)), undefined)
  })

  await t.test('another key, nonce or associated data is refused', async (t) => {
    t.equal(crypto.open(flipped(key, 0), nonce, aad, sealed), undefined)
    t.equal(crypto.open(key, flipped(nonce, 95), aad, sealed), undefined)
    t.equal(crypto.open(key, nonce, flipped(aad, 3), sealed), undefined)
    t.equal(crypto.open(key, nonce, aad.subarray(1), sealed), undefined)
    t.equal(crypto.open(key, nonce, new Uint8Array(0), sealed), undefined)
  })

  await t.test('every cut of the sealed bytes is refused', async (t) => {
    for (let length = 0; length < sealed.length; length++) {
      t.equal(crypto.open(key, nonce, aad, sealed.subarray(0, length)), undefined)
    }
    t.equal(crypto.open(key, nonce, aad, sealed.subarray(1)), undefined)
  })
}

async function misuse(t: Test, crypto: CryptoProvider): Promise<void> {
  const nothing = new Uint8Array(0)
  const target = new Uint8Array(100)
  const seal = (keyBytes: number, nonceBytes: number, targetStart: number) => () =>
    crypto.seal(
      new Uint8Array(keyBytes),
      new Uint8Array(nonceBytes),
      nothing,
      [new Uint8Array(10)],
      target,
      targetStart,
    )

  await t.test('keys and nonces of other lengths are refused', async (t) => {
    for (const bytes of [0, 1, 15, 17, 31, 33, 64]) t.throws(seal(bytes, 12, 0), { code: 'BAD_ARGUMENT' })
    for (const bytes of [0, 1, 8, 11, 13, 16]) t.throws(seal(32, bytes, 0), { code: 'BAD_ARGUMENT' })
    t.throws(() => crypto.open(new Uint8Array(31), new Uint8Array(12), nothing, target), { code: 'BAD_ARGUMENT' })
    t.throws(() => crypto.open(new Uint8Array(32), new Uint8Array(16), nothing, target), { code: 'BAD_ARGUMENT' })
    const open = (bytes: number) => () =>
      crypto.open(new Uint8Array(32), new Uint8Array(12), nothing, target, new Uint8Array(bytes))
    for (const bytes of [0, 83, 85, 100]) t.throws(open(bytes), { code: 'BAD_ARGUMENT' })
  })

  await t.test('a target without room is refused before anything is written', async (t) => {
    t.throws(seal(32, 12, 75), { code: 'BAD_ARGUMENT' })
    t.throws(seal(32, 12, -1), { code: 'BAD_ARGUMENT' })
    t.same(target, new Uint8Array(100))
    t.equal(seal(32, 12, 74)(), 26)
  })
}

async function randomness(t: Test, crypto: CryptoProvider): Promise<void> {
  await t.test('random bytes have the length asked for and never repeat', async (t) => {
    for (const length of [0, 1, 8, 12, 16, 17, 32, 5000]) t.equal(crypto.randomBytes(length).length, length)
    const seen = new Set<string>()
    for (let i = 0; i < 2000; i++) seen.add(toHex(crypto.randomBytes(12)))
    t.equal(seen.size, 2000)
  })
}

function parsed(vector: { key: string; nonce: string; aad: string; plaintext: string }) {
  const { key, nonce, aad, plaintext } = vector
  return { key: fromHex(key), nonce: fromHex(nonce), aad: fromHex(aad), plaintext: fromHex(plaintext) }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

function split(bytes: Uint8Array, at: number[]): Uint8Array[] {
  const ends = [...at.map((end) => Math.min(end, bytes.length)), bytes.length]
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}
