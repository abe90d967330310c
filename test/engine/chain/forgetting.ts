/** Records that count no more are forgotten: nobody sees a difference but the disk, and the log verifies as before. */
import t, { type Test } from 'tap'
import type { MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { StoreView } from '../../../src/engine/index/ordered-store.js'
import { decodeManifest } from '../../../src/engine/log/format/manifest-format.js'
import { HistoryStore } from '../../helpers/crash/history-store.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { BodyModel, firstFinding, openBodyChain, wrongWith } from '../../helpers/body-chain.js'
import { crypto } from '../../helpers/log-workbench.js'
import { bytesIn, RecordModel, wrongRecords } from '../../helpers/record-model.js'
import { seededRandom } from '../../helpers/seeded-random.js'

async function forgottenIn(storage: FaultStorage): Promise<number> {
  const manifest = decodeManifest(crypto, (await storage.readSmall('manifest', 1e6)) ?? new Uint8Array())
  return manifest.forgotten?.sequence ?? 0
}

/** Writes `rounds` versions of `count` records of `length` bytes, and others that are deleted again. */
async function churn(chain: MemoryChain, model: RecordModel, rounds: number, count = 20, length = 8000): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let low = 0; low < count; low++) model.put(chain, low, length)
    for (let low = 1000; low < 1000 + count; low++) model.put(chain, low, length)
    await chain.view.commit()
    model.deleteRange(chain, 1000, 2000)
    await chain.view.commit()
  }
}

async function isRight(t: Test, storage: FaultStorage, store: MemoryStore, model: RecordModel): Promise<void> {
  t.equal(await firstFinding(storage), undefined)
  for (const index of [store, new MemoryStore()])
    for (const readOnly of [true, false]) {
      const again = await openBodyChain({ storage, store: index, readOnly })
      t.equal(wrongRecords(again, model.records), undefined)
      await again.close()
    }
}

await t.test('a log of many versions and names that are gone shrinks to what counts', async (t) => {
  const storage = new FaultStorage()
  const store = new MemoryStore()
  const model = new RecordModel()
  const chain = await openBodyChain({ storage, store })
  const bodies = new BodyModel()
  bodies.put(chain, 7, 30_000, 7)
  await churn(chain, model, 20)
  const liveBytes = 20 * 8000
  const before = bytesIn(storage)
  t.ok(before > 30 * liveBytes, `${before} bytes`)
  const { freedBytes, bodies: dropped } = await chain.view.compact()
  t.equal(dropped, 0)
  const after = bytesIn(storage)
  t.ok(after < 2 * liveBytes, `${after} bytes are left`)
  t.ok(freedBytes > before - 2 * liveBytes, `${freedBytes} bytes were given back`)
  t.equal(wrongRecords(chain, model.records), undefined)
  t.equal(wrongWith(chain, bodies.contents), undefined)
  const { headSequence } = chain.view.writerStatus
  t.equal((await chain.view.compact()).freedBytes, 0, 'that is all')
  t.equal(chain.view.writerStatus.headSequence, headSequence, 'and nothing is written')
  await churn(chain, model, 3)
  t.ok((await chain.view.compact()).freedBytes > 3 * liveBytes, 'once more')
  await chain.close()
  await isRight(t, storage, store, model)
})

await t.test('a log in which most counts is left as it is', async (t) => {
  const storage = new FaultStorage()
  const model = new RecordModel()
  const chain = await openBodyChain({ storage })
  for (let low = 0; low < 100; low++) model.put(chain, low, 8000)
  await chain.view.commit()
  for (let low = 0; low < 90; low++) model.put(chain, low, 8000)
  await chain.view.commit()
  const { headSequence } = chain.view.writerStatus
  t.equal((await chain.view.compact()).freedBytes, 0)
  t.equal(chain.view.writerStatus.headSequence, headSequence)
  t.equal(await forgottenIn(storage), 0)
  await chain.close()
})

await t.test('what is put, changed and deleted while records are put again is as it was left', async (t) => {
  const storage = new FaultStorage()
  const store = new MemoryStore()
  const model = new RecordModel()
  const chain = await openBodyChain({ storage, store })
  await churn(chain, model, 5)
  const { onRepacking } = chain.writer
  chain.writer.onRepacking = async (work) => {
    model.put(chain, 3, 100)
    model.delete(chain, 4)
    model.put(chain, 5000, 8000)
    const isDone = await onRepacking(work)
    model.put(chain, 6, 50)
    model.delete(chain, 7)
    return isDone
  }
  t.ok((await chain.view.compact()).freedBytes > 0)
  t.equal(wrongRecords(chain, model.records), undefined)
  await chain.view.commit()
  await chain.close()
  await isRight(t, storage, store, model)
})

await t.test('nothing is forgotten when not everything could be put again', async (t) => {
  const storage = new FaultStorage()
  const store = new MemoryStore()
  const model = new RecordModel()
  let chain = await openBodyChain({ storage, store })
  await churn(chain, model, 5)
  const { onRepacking } = chain.writer
  chain.writer.onRepacking = () => Promise.resolve(false)
  t.equal((await chain.view.compact()).freedBytes, 0)
  chain.writer.onRepacking = onRepacking
  await churn(chain, model, 2)
  const { headSequence } = chain.view.writerStatus
  t.equal((await chain.view.compact()).freedBytes, 0, 'not tried again at once')
  t.equal(chain.view.writerStatus.headSequence, headSequence, 'nothing is put again')
  await chain.close()
  chain = await openBodyChain({ storage, store })
  storage.capacityBytes = 0
  await t.rejects(Promise.resolve(chain.view.reserve(100_000_000, false)), { code: 'NO_SPACE' })
  const segments = [...storage.snapshot().keys()]
  t.equal((await chain.view.compact()).freedBytes, 0, 'on a full disk')
  t.same([...storage.snapshot().keys()], segments, 'no segment is begun')
  storage.capacityBytes = Infinity
  t.equal(await forgottenIn(storage), 0)
  t.equal(wrongRecords(chain, model.records), undefined)
  await churn(chain, model, 8)
  t.ok((await chain.view.compact()).freedBytes > 0, 'later it goes')
  await chain.close()
  await isRight(t, storage, store, model)
})

/** Gives the view of each look, counted from 1, to `change`: what that returns is seen. */
class WatchedStore extends MemoryStore {
  change: (view: StoreView, look: number) => StoreView | undefined = (view) => view
  #looks = 0

  override view(): StoreView {
    const view = this.change(super.view(), ++this.#looks)
    // As a store that has no view to give.
    return view as StoreView
  }
}

await t.test('nothing is forgotten when the first look did not take place', async (t) => {
  const storage = new FaultStorage()
  const store = new WatchedStore()
  const chain = await openBodyChain({ storage, store })
  const model = new RecordModel()
  await churn(chain, model, 5)
  store.change = (view, look) => (look === 1 ? undefined : view)
  t.equal((await chain.view.compact()).freedBytes, 0)
  t.equal(await forgottenIn(storage), 0)
  t.ok((await chain.view.compact()).freedBytes > 0, 'later it goes')
  await chain.close()
  await isRight(t, storage, store, model)
})

await t.test('nothing is forgotten when a later look does not see all of the index', async (t) => {
  const storage = new FaultStorage()
  const store = new WatchedStore()
  const chain = await openBodyChain({ storage, store })
  const model = new RecordModel()
  await churn(chain, model, 5)
  const keysAfter = ({ keysAfter }: StoreView, key: Uint8Array): Uint8Array[] => keysAfter(key, 1_000_000)
  store.change = (view, look) =>
    look === 1 ? view : { ...view, keysAfter: (key) => keysAfter(view, key).filter((_, i, all) => i < all.length - 3) }
  await t.rejects(chain.view.compact(), { code: 'CHAIN_DAMAGED' })
  t.equal(await forgottenIn(storage), 0)
  store.change = (view) => view
  t.equal(wrongRecords(chain, model.records), undefined)
  await chain.close()
  await isRight(t, storage, store, model)
})

await t.test('an index from before is not used, and the chain is read from what is left', async (t) => {
  const storage = new FaultStorage()
  const store = new HistoryStore()
  const model = new RecordModel()
  const chain = await openBodyChain({ storage, store })
  for (let part = 0; part < 3; part++) {
    await churn(chain, model, 2)
    model.delete(chain, part)
    await chain.view.commit()
    chain.writer.flushIndex()
  }
  await chain.view.compact()
  await chain.close()
  t.ok((await forgottenIn(storage)) > 0)
  for (let steps = 0; steps <= store.steps.length; steps++) {
    const older = HistoryStore.after(store.steps.slice(0, steps))
    const again = await openBodyChain({ storage, store: older, readOnly: true })
    t.equal(wrongRecords(again, model.records), undefined, `after ${steps} steps`)
    await again.close()
  }
})

await t.test('a log that was cut before it says that records are forgotten is damaged', async (t) => {
  const storage = new FaultStorage()
  const model = new RecordModel()
  const chain = await openBodyChain({ storage })
  await churn(chain, model, 5)
  await chain.view.compact()
  // Not closed: the last segment is open, and its end is not in the manifest.
  const files = storage.snapshot()
  const last =
    [...files.keys()]
      .filter((name) => name.endsWith('.seg'))
      .sort()
      .at(-1) ?? ''
  files.get(last)?.bytes.fill(0, 152)
  const cut = FaultStorage.holding(files)
  await t.rejects(openBodyChain({ storage: cut }), { code: 'CHAIN_DAMAGED' })
  t.match(await firstFinding(cut), /forgotten/)
  await chain.close()
})

for (const seed of [1, 2, 3, 4]) {
  await t.test(`whatever is put, deleted, compacted and reopened, what is read is right (${seed})`, async (t) => {
    const random = seededRandom(seed)
    const pick = (count: number): number => Math.floor(random() * count)
    const storage = new FaultStorage()
    let store = new MemoryStore()
    const model = new RecordModel()
    const bodies = new BodyModel()
    let chain = await openBodyChain({ storage, store })
    let times = 0
    let forgotten = 0
    const look = async (): Promise<string | undefined> => {
      const now = await forgottenIn(storage)
      if (now > forgotten) times++
      forgotten = now
      return wrongRecords(chain, model.records) ?? wrongWith(chain, bodies.contents)
    }
    for (let step = 0; step < 500; step++) {
      const action = random()
      const low = pick(40)
      if (action < 0.5) model.put(chain, low, 1 + pick(pick(3) === 0 ? 60_000 : 3000))
      else if (action < 0.6) bodies.put(chain, 1 + low, 1 + pick(20_000), 1 + pick(255))
      else if (action < 0.65) bodies.delete(chain, 1 + low)
      else if (action < 0.75) model.delete(chain, low)
      else if (action < 0.78) model.deleteRange(chain, low, low + pick(10))
      else if (action < 0.9) void chain.view.commit()
      else if (action < 0.95) {
        const compacted = chain.view.compact()
        for (let more = pick(4); more > 0; more--) model.put(chain, pick(40), 1 + pick(3000))
        if (pick(2) === 0) await chain.view.commit()
        await compacted
        const wrong = await look()
        if (wrong !== undefined) return t.fail(`step ${step}: ${wrong}`)
      } else if (action < 0.98) {
        await chain.close()
        if (pick(3) === 0) store = new MemoryStore()
        chain = await openBodyChain({ storage, store })
        const wrong = await look()
        if (wrong !== undefined) return t.fail(`step ${step}: ${wrong}`)
      }
    }
    await chain.close()
    t.ok(times > 1, `records were forgotten ${times} times`)
    await isRight(t, storage, store, model)
  })
}
