/** Snapshots beside commits: each sees its own time, and costs nothing when nobody reads it. */
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import type { RecordView } from '../../../src/engine/chain/record-view.js'
import { RecordStore } from '../../../src/engine/transaction/record-store.js'
import { Snapshots } from '../../../src/engine/transaction/snapshots.js'

const KIND = 16
const NOTHING = {
  isDurable: false,
  moreBytes: 0,
  settle: () => undefined,
  finish: () => undefined,
  onApplied: () => undefined,
}

function storeOn(view: RecordView): RecordStore {
  return new RecordStore(view, {
    isListening: false,
    note: () => undefined,
  })
}

async function recordStore(): Promise<RecordStore> {
  return storeOn((await openMemoryChain({ crypto: nativeCrypto })).view)
}

async function put(store: RecordStore, low: number, value: number): Promise<void> {
  const transaction = store.begin()
  transaction.put(KIND, 0, low, Uint8Array.of(value))
  await store.commit(transaction, NOTHING)
}

await t.test('every snapshot sees its own time, in whatever order they are read', async (t) => {
  const store = await recordStore()
  const snapshots = [store.snapshot()]
  for (let value = 1; value <= 20; value++) {
    await put(store, 1, value)
    await put(store, 100 + value, value)
    snapshots.push(store.snapshot())
  }
  for (const time of [3, 20, 0, 11, 10, 19, 1]) {
    const snapshot = snapshots[time]
    t.strictSame(snapshot?.get(KIND, 0, 1), time === 0 ? undefined : Uint8Array.of(time), `at ${time}`)
    t.equal(snapshot?.range(KIND, 0, 100, 200, 50).length, time, `at ${time}`)
    t.equal(snapshot?.floor(KIND, 0, 200)?.low, time === 0 ? undefined : 100 + time, `at ${time}`)
    t.equal(snapshot?.hasChanged(KIND, 0, 1), time < 20)
    t.equal(snapshot?.hasChangedWithin(KIND, 0, 120, 130), time < 20)
  }
})

await t.test('a transaction reads as of its first read, until it ends', async (t) => {
  const store = await recordStore()
  await put(store, 1, 1)
  const transaction = store.begin()
  await put(store, 1, 2)
  t.strictSame(transaction.get(KIND, 0, 1), Uint8Array.of(2))
  await put(store, 1, 3)
  t.strictSame(transaction.get(KIND, 0, 1), Uint8Array.of(2))
  t.ok(transaction.isStale)
})

await t.test('a commit that nobody reads beside has nothing to keep', async (t) => {
  const { view } = await openMemoryChain({ crypto: nativeCrypto })
  const snapshots = new Snapshots(view)
  t.equal(snapshots.forCommit(), undefined, 'nobody ever read')
  const first = snapshots.lease()
  const second = snapshots.lease()
  t.equal(first.snapshot, second.snapshot, 'nothing came between them')
  first.giveBack()
  t.equal(snapshots.forCommit(), second.snapshot)
  const third = snapshots.lease()
  t.equal(snapshots.forCommit(), third.snapshot, 'the second finds it there')
  second.giveBack()
  third.giveBack()
  t.equal(snapshots.forCommit(), undefined)
  const given = snapshots.take()
  t.equal(snapshots.forCommit(), given, 'nobody says when it is read no more')
})

await t.test('who commits faster than the log takes it is held up before memory runs full', async (t) => {
  const { view } = await openMemoryChain({ crypto: nativeCrypto })
  const store = storeOn(view)
  let most = 0
  for (let low = 0; low < 600; low++) {
    const transaction = store.begin()
    transaction.put(KIND, 0, low % 10, new Uint8Array(60_000))
    await store.commit(transaction, NOTHING)
    most = Math.max(most, view.inFlightBytes)
  }
  t.ok(most < 9 * 1024 * 1024, `${most} bytes were in flight`)
})
