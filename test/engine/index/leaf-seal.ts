/** Leaves that several sessions have sealed are opened one after another, from memory that is used again for each. */
import t from 'tap'
import { deriveChainKeys } from '../../../src/engine/crypto/chain-keys.js'
import { nobleProvider } from '../../../src/engine/crypto/noble-provider.js'
import { LeafSeal } from '../../../src/engine/index/leaf-seal.js'
import { encodeKey } from '../../../src/engine/index/record-key.js'

const keys = deriveChainKeys(nobleProvider, new Uint8Array(32).fill(7), new Uint8Array(16).fill(9), 1)

t.test('leaves of several sessions open in any order, from one memory', (t) => {
  const leaves = Array.from({ length: 12 }, (_, i) => {
    const content = new Uint8Array(50).fill(i)
    const key = encodeKey(1, 2, i)
    return { key, content, stored: new LeafSeal(nobleProvider, keys).seal(key, content) }
  })
  const seal = new LeafSeal(nobleProvider, keys)
  for (const memory of [new Uint8Array(200), Buffer.alloc(200)])
    for (const { key, content, stored } of [...leaves, ...leaves.toReversed(), ...leaves]) {
      memory.set(stored)
      t.same(seal.open(key, memory.subarray(0, stored.length)), content)
    }
  t.end()
})

t.test('a leaf of a session that is not authentic does not keep the others from being opened', (t) => {
  const seal = new LeafSeal(nobleProvider, keys)
  const key = encodeKey(1, 2, 3)
  const stored = seal.seal(key, Uint8Array.of(1, 2, 3))
  const forged = Uint8Array.from(stored)
  forged[5] = (forged[5] ?? 0) ^ 1
  for (let round = 0; round < 3; round++) {
    t.same(seal.open(key, stored), Uint8Array.of(1, 2, 3))
    t.equal(seal.open(key, forged), undefined)
    t.equal(seal.open(encodeKey(1, 2, 4), stored), undefined)
  }
  t.end()
})
