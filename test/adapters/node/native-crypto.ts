import fc from 'fast-check'
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { nodeCrypto } from '../../../src/adapters/node/node-crypto.js'
import { opensslCrypto } from '../../../src/adapters/node/openssl-crypto.js'
import { byteLength } from '../../../src/engine/bytes/concat.js'
import { nobleProvider } from '../../../src/engine/crypto/noble-provider.js'
import { GCM_TAG_BYTES, type CryptoProvider } from '../../../src/engine/crypto/provider.js'
import { cryptoProvider } from '../../contract/crypto-provider.js'

await t.test('through OpenSSL itself', (t) => cryptoProvider(t, nativeCrypto))
await t.test('through node:crypto alone', (t) => cryptoProvider(t, nodeCrypto))

await t.test('the OpenSSL of an ordinary Node is called directly', async (t) => {
  t.equal(nativeCrypto.seal === nodeCrypto.seal, false)
  t.not(opensslCrypto(), undefined)
})

const seed = 20250101
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const parts = fc.array(bytes(3000), { maxLength: 5 })
const keyBytes = fc.constantFrom(16, 24, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
const nonceBytes = fc.uint8Array({ minLength: 12, maxLength: 12 })

function sealWith(
  crypto: CryptoProvider,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  message: readonly Uint8Array[],
): Uint8Array {
  const target = new Uint8Array(byteLength(message) + GCM_TAG_BYTES)
  crypto.seal(key, nonce, aad, message, target, 0)
  return target
}

await t.test('native and noble seal to the same bytes and open each other', async (t) => {
  const property = fc.property(keyBytes, nonceBytes, bytes(200), parts, (key, nonce, aad, message) => {
    const native = sealWith(nativeCrypto, key, nonce, aad, message)
    t.same(native, sealWith(nobleProvider, key, nonce, aad, message))
    t.same(nobleProvider.open(key, nonce, aad, native), nativeCrypto.open(key, nonce, aad, native))
  })
  fc.assert(property, { seed, numRuns: 60 })
})

await t.test('native and noble hash, authenticate, derive and check to the same bytes', async (t) => {
  const property = fc.property(bytes(100), bytes(64), parts, fc.nat(200), (key, salt, message, length) => {
    t.same(nativeCrypto.sha256(...message), nobleProvider.sha256(...message))
    t.same(nativeCrypto.hmacSha256(key, ...message), nobleProvider.hmacSha256(key, ...message))
    t.same(nativeCrypto.hkdfSha256(key, salt, key, length + 1), nobleProvider.hkdfSha256(key, salt, key, length + 1))
    for (const part of message) t.equal(nativeCrypto.crc32(part, length), nobleProvider.crc32(part, length))
  })
  fc.assert(property, { seed, numRuns: 60 })
})
