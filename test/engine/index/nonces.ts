/** No (key, nonce) is ever used twice for leaves: not when an older index was restored, not when two copies go on apart. */
import t from 'tap'
import { deriveChainKeys } from '../../../src/engine/crypto/chain-keys.js'
import { nobleProvider } from '../../../src/engine/crypto/noble-provider.js'
import { IndexWriter } from '../../../src/engine/index/index-writer.js'
import { LeafSeal } from '../../../src/engine/index/leaf-seal.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { Overlay } from '../../../src/engine/index/overlay.js'
import { SealRecorder } from '../../helpers/seal-recorder.js'

const keys = deriveChainKeys(nobleProvider, new Uint8Array(32).fill(7), new Uint8Array(16).fill(9), 1)
const point = { sequence: 1, digest: new Uint8Array(32).fill(3), segment: 1, position: 64 }

/** What a mount does with an index: opens it and flushes some times. The records are the same each time. */
function session(store: MemoryStore, recorder: SealRecorder, flushes = 3): MemoryStore {
  const writer = new IndexWriter(store, new LeafSeal(recorder.crypto, keys), recorder.crypto, keys)
  for (let flush = 0; flush < flushes; flush++) {
    const overlay = new Overlay()
    for (let low = 0; low < 200; low++) overlay.put(1, 5, 1, low, new Uint8Array(60).fill(low + flush))
    const steps = writer.flush(overlay, point, { nextGroup: 1, recordBytes: 0 })
    while (steps.next().done !== true);
  }
  return store
}

function copyOf(store: MemoryStore): MemoryStore {
  const copy = new MemoryStore()
  for (let key = store.after(new Uint8Array()); key !== undefined; key = store.after(key)) {
    copy.write([{ key, value: store.get(key) ?? null }])
  }
  return copy
}

t.test('one leaf sealed again and again', (t) => {
  const recorder = new SealRecorder(nobleProvider)
  session(new MemoryStore(), recorder, 40)
  t.ok(recorder.seals.length > 100)
  t.equal(recorder.repeated, 0)
  t.end()
})

t.test('an older index restored and written to again and again', (t) => {
  const recorder = new SealRecorder(nobleProvider)
  const old = session(new MemoryStore(), recorder)
  for (let i = 0; i < 20; i++) session(copyOf(old), recorder)
  t.equal(recorder.repeated, 0)
  t.equal(recorder.keyCount, 21, 'every session seals with a key of its own')
  t.end()
})

t.test('two copies of one index that both go on', (t) => {
  const recorder = new SealRecorder(nobleProvider)
  const first = session(new MemoryStore(), recorder)
  const copies = [first, copyOf(first)]
  for (let round = 0; round < 5; round++) for (const copy of copies) session(copy, recorder)
  t.equal(recorder.repeated, 0)
  t.equal(recorder.keyCount, 11)
  t.end()
})
