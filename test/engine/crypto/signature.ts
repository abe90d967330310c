import { shake128 } from '@noble/hashes/sha3.js'
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js'
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { concatBytes } from '../../../src/engine/bytes/concat.js'
import { toHex } from '../../../src/engine/bytes/hex.js'
import { signEd25519 } from '../../../src/engine/crypto/ed25519.js'
import { LABELS } from '../../../src/engine/crypto/labels.js'
import * as hybrid from '../../../src/engine/crypto/signature.js'
import { ML_DSA_65_ACCUMULATED_100 } from '../../fixtures/vectors/public-key.js'

const suite = 1
const seed = Uint8Array.from({ length: 64 }, (_, i) => i)
const key = hybrid.signingKeyFromSeed(seed)
const digest = new Uint8Array(32).fill(5)
const purpose = LABELS.batchSignature
const signature = hybrid.sign(nativeCrypto, key, purpose, digest)
const message = concatBytes(LABELS.signature, Uint8Array.of(suite), purpose, key.publicKey, digest)

t.test('a signature verifies, and has the sizes of its suite', async (t) => {
  t.equal(hybrid.verify(suite, key.publicKey, purpose, digest, signature), true)
  t.equal(key.publicKey.length, 1984)
  t.equal(signature.length, 3373)
})

t.test('the same seed gives the same key, whose id depends on key and suite', async (t) => {
  t.same(hybrid.signingKeyFromSeed(seed).publicKey, key.publicKey)
  const id = hybrid.publicKeyId(nativeCrypto, suite, key.publicKey)
  t.equal(id.length, 32)
  t.notSame(id, hybrid.publicKeyId(nativeCrypto, suite, key.publicKey.slice().reverse()))
})

t.test('both halves are needed: damage in either refuses the whole', async (t) => {
  for (const at of [0, 31, 32, 63, 64, 64 + 48, 2000, 3372]) {
    const damaged = signature.slice()
    damaged[at] = (damaged[at] ?? 0) ^ 1
    t.equal(hybrid.verify(suite, key.publicKey, purpose, digest, damaged), false, `byte ${at}`)
  }
})

t.test('both halves cover both public keys, the purpose and the digest', async (t) => {
  const other = hybrid.signingKeyFromSeed(seed.map((byte) => byte ^ 0xff))
  const classicalSwapped = concatBytes(other.publicKey.subarray(0, 32), key.publicKey.subarray(32))
  const postQuantumSwapped = concatBytes(key.publicKey.subarray(0, 32), other.publicKey.subarray(32))
  const refused = [
    hybrid.verify(suite, classicalSwapped, purpose, digest, signature),
    hybrid.verify(suite, postQuantumSwapped, purpose, digest, signature),
    hybrid.verify(suite, other.publicKey, purpose, digest, signature),
    hybrid.verify(suite, key.publicKey, LABELS.batchMac, digest, signature),
    hybrid.verify(suite, key.publicKey, purpose, new Uint8Array(32), signature),
  ]
  t.same(refused, [false, false, false, false, false])
})

t.test('a half made for another pair of keys cannot be taken over', async (t) => {
  // Someone owns the Ed25519 half and pairs it with an ML-DSA key of theirs: its signatures say which pair they are for.
  const other = hybrid.signingKeyFromSeed(concatBytes(seed.subarray(0, 32), seed.subarray(0, 32)))
  const theirs = hybrid.sign(nativeCrypto, other, purpose, digest)
  t.same(other.publicKey.subarray(0, 32), key.publicKey.subarray(0, 32))
  const mixed = concatBytes(theirs.subarray(0, 64), signature.subarray(64))
  t.equal(hybrid.verify(suite, key.publicKey, purpose, digest, mixed), false)
})

t.test('an ML-DSA signature without the context string is refused', async (t) => {
  const classical = signEd25519(key.classical, message)
  const withContext = ml_dsa65.sign(message, key.postQuantum, { context: LABELS.signature })
  const without = ml_dsa65.sign(message, key.postQuantum)
  t.equal(hybrid.verify(suite, key.publicKey, purpose, digest, concatBytes(classical, withContext)), true)
  t.equal(hybrid.verify(suite, key.publicKey, purpose, digest, concatBytes(classical, without)), false)
})

t.test('other lengths are no signature, and a digest of another length is a mistake', async (t) => {
  t.equal(hybrid.verify(suite, key.publicKey.subarray(1), purpose, digest, signature), false)
  t.equal(hybrid.verify(suite, key.publicKey, purpose, digest, signature.subarray(1)), false)
  t.equal(hybrid.verify(suite, key.publicKey, purpose, digest, concatBytes(signature, seed)), false)
  t.equal(hybrid.verify(suite, key.publicKey, purpose, digest, new Uint8Array(0)), false)
  t.throws(() => hybrid.sign(nativeCrypto, key, purpose, seed), { code: 'BAD_ARGUMENT' })
  t.throws(() => hybrid.verify(suite, key.publicKey, purpose, seed, signature), { code: 'BAD_ARGUMENT' })
  t.throws(() => hybrid.signingKeyFromSeed(digest), { code: 'BAD_ARGUMENT' })
})

t.test('wiping leaves no secret behind', async (t) => {
  const wiped = hybrid.signingKeyFromSeed(seed)
  hybrid.wipeSigningKey(wiped)
  t.ok([...wiped.classical, ...wiped.postQuantum].every((byte) => byte === 0))
})

t.test('ML-DSA-65 gives the accumulated vector of 100 keys and signatures', async (t) => {
  const seeds = shake128.create({})
  const results = shake128.create({ dkLen: 32 })
  for (let i = 0; i < 100; i++) {
    const pair = ml_dsa65.keygen(seeds.xof(32))
    results.update(pair.publicKey)
    results.update(ml_dsa65.sign(new Uint8Array(0), pair.secretKey, { extraEntropy: false }))
  }
  t.equal(toHex(results.digest()), ML_DSA_65_ACCUMULATED_100)
})
