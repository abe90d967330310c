import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { toHex } from '../../../src/engine/bytes/hex.js'
import { dataKey, deriveChainKeys, sealingKey, wipeChainKeys } from '../../../src/engine/crypto/chain-keys.js'
import { LABELS } from '../../../src/engine/crypto/labels.js'
import { nobleProvider } from '../../../src/engine/crypto/noble-provider.js'
import * as suites from '../../../src/engine/crypto/suites.js'
import { CHAIN_KEYS } from '../../fixtures/vectors/chain-keys.js'

const rootKey = new Uint8Array(32).fill(1)
const chainId = new Uint8Array(16).fill(2)
const salt = new Uint8Array(32).fill(3)
const suite = suites.AEAD_AES_256_GCM

function allKeys(keys: ReturnType<typeof deriveChainKeys>): Record<string, Uint8Array> {
  const { manifestKey, keyringKey, anchorKey, nameKey, author, member, access, index, writerSeed } = keys
  const data = { author: author.key, member: member.key, access: access.key, index: index.key }
  return { manifestKey, keyringKey, anchorKey, nameKey, ...data, writerSeed }
}

t.test('every key of a chain differs from every other, and from those of other chains and root keys', async (t) => {
  const chains = [
    deriveChainKeys(nativeCrypto, rootKey, chainId, suite),
    deriveChainKeys(nativeCrypto, rootKey, new Uint8Array(16).fill(9), suite),
    deriveChainKeys(nativeCrypto, new Uint8Array(32).fill(9), chainId, suite),
  ]
  const keys = chains.flatMap((chain) => Object.values(allKeys(chain)))
  t.equal(keys.length, 27)
  // By their first 16 bytes: one must not be the beginning of another either.
  t.equal(new Set(keys.map((key) => toHex(key.subarray(0, 16)))).size, 27)
})

t.test('the derivation is part of the format and the same by both providers', async (t) => {
  const keys = deriveChainKeys(nativeCrypto, rootKey, chainId, suite)
  const again = deriveChainKeys(nobleProvider, rootKey, chainId, suite)
  t.same(again, keys)
  const known = {
    ...allKeys(keys),
    memberId: keys.member.id,
    sealing: sealingKey(nativeCrypto, keys.member, salt, suite),
  }
  t.same(Object.fromEntries(Object.entries(known).map(([name, key]) => [name, toHex(key)])), CHAIN_KEYS)
})

t.test('a key id commits to its key', async (t) => {
  const key = dataKey(nativeCrypto, rootKey)
  t.equal(key.id.length, 32)
  t.same(dataKey(nativeCrypto, rootKey.slice()).id, key.id)
  t.notSame(dataKey(nativeCrypto, salt).id, key.id)
})

t.test('a sealing key has the size of its suite and depends on data key, salt and suite', async (t) => {
  const key = dataKey(nativeCrypto, rootKey)
  const of = (id: suites.AeadSuite, from = salt) => sealingKey(nativeCrypto, key, from, id)
  t.same(
    [1, 2, 3].map((id) => of(suites.parseAeadSuite(id)).length),
    [32, 24, 16],
  )
  const starts = [
    of(1),
    of(2),
    of(3),
    of(1, new Uint8Array(32)),
    sealingKey(nativeCrypto, dataKey(nativeCrypto, salt), salt, 1),
  ]
  t.equal(new Set(starts.map((start) => toHex(start.subarray(0, 16)))).size, 5)
})

t.test('keys, ids and salts of other lengths are refused', async (t) => {
  const short = new Uint8Array(31)
  t.throws(() => deriveChainKeys(nativeCrypto, short, chainId, suite), { code: 'BAD_ARGUMENT' })
  t.throws(() => deriveChainKeys(nativeCrypto, rootKey, rootKey, suite), { code: 'BAD_ARGUMENT' })
  t.throws(() => dataKey(nativeCrypto, short), { code: 'BAD_ARGUMENT' })
  t.throws(() => sealingKey(nativeCrypto, dataKey(nativeCrypto, rootKey), short, suite), { code: 'BAD_ARGUMENT' })
})

t.test('wiping leaves no secret behind', async (t) => {
  const keys = deriveChainKeys(nativeCrypto, rootKey, chainId, suite)
  wipeChainKeys(keys)
  for (const [name, key] of Object.entries(allKeys(keys)))
    t.ok(
      key.every((byte) => byte === 0),
      name,
    )
})

t.test('no label is another, or the beginning of another', async (t) => {
  const labels = Object.values(LABELS).map(toHex)
  for (const [i, label] of labels.entries()) {
    t.equal(labels.filter((other) => other.startsWith(label)).length, 1, `label ${i}`)
  }
})

t.test('unknown suites are refused and known ones are taken', async (t) => {
  t.same([1, 2, 3].map(suites.parseAeadSuite), [1, 2, 3])
  t.same([suites.parseSignatureSuite(1), suites.parseBoxSuite(1), suites.parseBoxSuite(2)], [1, 1, 2])
  for (const id of [0, 4, 255, -1, 1.5, NaN]) {
    t.throws(() => suites.parseAeadSuite(id), { code: 'UNSUPPORTED_FORMAT' })
    t.throws(() => suites.parseSignatureSuite(id), { code: 'UNSUPPORTED_FORMAT' })
    t.throws(() => suites.parseBoxSuite(id), { code: 'UNSUPPORTED_FORMAT' })
  }
  t.same([256, 192, 128].map(suites.aeadSuiteOfKeyBits), [1, 2, 3])
  t.throws(() => suites.aeadSuiteOfKeyBits(512), { code: 'BAD_ARGUMENT' })
})
