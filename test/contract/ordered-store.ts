/** What every OrderedStore must do. Called by the tests of the implementations; never run by itself. */
import type { Test } from 'tap'
import type { OrderedStore } from '../../src/engine/index/ordered-store.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const plain = (value: Uint8Array | undefined): number[] | undefined => (value === undefined ? undefined : [...value])

export async function orderedStore(t: Test, make: () => OrderedStore): Promise<void> {
  await t.test('an empty store finds nothing', async (t) => {
    const store = make()
    t.equal(store.get(bytes(1)), undefined)
    t.equal(store.floor(bytes(255)), undefined)
    t.equal(store.before(bytes(255)), undefined)
    t.equal(store.after(bytes(0)), undefined)
    await store.close()
  })

  await t.test('values come back, are replaced and are deleted', async (t) => {
    const store = make()
    store.write([
      { key: bytes(1), value: bytes(10) },
      { key: bytes(2), value: bytes(20) },
    ])
    store.write([
      { key: bytes(1), value: bytes(11, 12) },
      { key: bytes(2), value: null },
      { key: bytes(3), value: null },
    ])
    t.same(plain(store.get(bytes(1))), [11, 12])
    t.equal(store.get(bytes(2)), undefined)
    await store.close()
  })

  await t.test('floor, before and after follow the order of unsigned bytes', async (t) => {
    const store = make()
    store.write([128, 5, 255, 7].map((first) => ({ key: bytes(first, 0), value: bytes(first) })))
    t.same(plain(store.floor(bytes(5, 0))), [5, 0])
    t.same(plain(store.floor(bytes(6))), [5, 0])
    t.equal(store.floor(bytes(4)), undefined)
    t.same(plain(store.floor(bytes(255, 255))), [255, 0])
    t.same(plain(store.before(bytes(128, 0))), [7, 0])
    t.same(plain(store.before(bytes(128, 0, 0))), [128, 0])
    t.same(plain(store.before(bytes(127))), [7, 0])
    t.equal(store.before(bytes(5, 0)), undefined)
    t.same(plain(store.after(bytes(7, 0))), [128, 0])
    t.same(plain(store.after(bytes(0))), [5, 0])
    t.equal(store.after(bytes(255, 0)), undefined)
    await store.close()
  })

  await t.test('keys after a key come in their order, as many as are asked for', async (t) => {
    const store = make()
    store.write([9, 3, 200, 7].map((first) => ({ key: bytes(first), value: bytes(first) })))
    const after = (key: number, limit: number): number[] => store.keysAfter(bytes(key), limit).flatMap((k) => [...k])
    t.same(after(0, 10), [3, 7, 9, 200])
    t.same(after(3, 2), [7, 9])
    t.same(after(4, 1), [7])
    t.same(after(200, 5), [])
    await store.close()
  })

  await t.test('a borrowed value is the value, whatever was borrowed before', async (t) => {
    const store = make()
    store.write([
      { key: bytes(1), value: new Uint8Array(10_000).fill(7) },
      { key: bytes(2), value: bytes(1, 2, 3) },
      { key: bytes(3), value: new Uint8Array(200_000).fill(9) },
    ])
    for (const key of [1, 2, 3, 2, 1]) t.same(store.borrow(bytes(key)), store.get(bytes(key)))
    t.equal(store.borrow(bytes(4)), undefined)
    await store.close()
  })

  await t.test('a view stays as it was, whatever is written, and beside another one', async (t) => {
    const store = make()
    store.write([1, 2, 3].map((key) => ({ key: bytes(key), value: bytes(10 + key) })))
    const view = store.view?.()
    if (view === undefined) return store.close()
    store.write([
      { key: bytes(1), value: bytes(99) },
      { key: bytes(2), value: null },
    ])
    const second = store.view?.()
    store.refresh()
    store.write([{ key: bytes(9), value: bytes(9) }])
    await new Promise((resolve) => setTimeout(resolve, 20))
    t.same(plain(view.get(bytes(1))), [11])
    t.same(plain(view.after(bytes(1))), [2])
    t.equal(view.after(bytes(3)), undefined)
    t.same(plain(second?.get(bytes(1))), [99])
    t.same(plain(second?.after(bytes(1))), [3])
    t.equal(second?.get(bytes(9)), undefined)
    t.same(plain(store.get(bytes(9))), [9])
    view.close()
    store.write([{ key: bytes(9), value: bytes(8) }])
    t.same(plain(second?.after(bytes(3))), undefined)
    second?.close()
    t.same(plain(store.get(bytes(9))), [8])
    await store.close()
  })

  await t.test('a cleared store is empty', async (t) => {
    const store = make()
    store.write([{ key: bytes(9), value: bytes(1) }])
    store.clear()
    t.equal(store.get(bytes(9)), undefined)
    t.equal(store.floor(bytes(255)), undefined)
    t.equal(store.before(bytes(255)), undefined)
    t.equal(store.after(bytes(0)), undefined)
    store.write([{ key: bytes(8), value: bytes(2) }])
    t.same(plain(store.get(bytes(8))), [2])
    t.same(plain(store.floor(bytes(255))), [8])
    await store.close()
  })
}
