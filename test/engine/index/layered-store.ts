import t from 'tap'
import { toHex } from '../../../src/engine/bytes/hex.js'
import { LayeredStore } from '../../../src/engine/index/layered-store.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { OrderedStore, StoreChange } from '../../../src/engine/index/ordered-store.js'
import { orderedStore } from '../../contract/ordered-store.js'
import { seededRandom } from '../../helpers/seeded-random.js'

await orderedStore(t, () => new LayeredStore(new MemoryStore()))

/** Everything a store answers about keys of one byte. */
function answers(store: OrderedStore): string[] {
  const show = (key: Uint8Array | undefined): string => (key === undefined ? '-' : toHex(key))
  return Array.from({ length: 256 }, (_, first) => {
    const key = Uint8Array.of(first)
    const following = [1, 3, 100].map((limit) => store.keysAfter(key, limit).map(show).join(','))
    return [...[store.get(key), store.floor(key), store.before(key), store.after(key)].map(show), ...following].join(
      ' ',
    )
  })
}

await t.test('answers as if the changes had been written to the store below, which stays as it is', async (t) => {
  const random = seededRandom(7)
  const someChanges = (): StoreChange[] =>
    Array.from({ length: 40 }, () => ({
      key: Uint8Array.of(random() * 256),
      value: random() < 0.5 ? null : Uint8Array.of(random() * 256),
    }))
  for (let round = 0; round < 20; round++) {
    const [base, whole] = [new MemoryStore(), new MemoryStore()]
    const before = [...someChanges(), ...someChanges()]
    base.write(before)
    whole.write(before)
    const untouched = answers(base)
    const layered = new LayeredStore(base)
    for (let step = 0; step < 3; step++) {
      const changes = someChanges()
      layered.write(changes)
      whole.write(changes)
      t.strictSame(answers(layered), answers(whole))
    }
    layered.clear()
    t.strictSame(answers(layered), answers(new MemoryStore()))
    const changes = someChanges()
    layered.write(changes)
    const fresh = new MemoryStore()
    fresh.write(changes)
    t.strictSame(answers(layered), answers(fresh))
    t.strictSame(answers(base), untouched)
    await layered.close()
  }
})
