/** Compaction drops what nothing refers to and nothing else, gives its space back, and leaves a log that verifies. */
import t from 'tap'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { lastNoteOf } from '../../helpers/crash/cuts.js'
import { HistoryStore } from '../../helpers/crash/history-store.js'
import { FaultStorage, type Operation } from '../../helpers/fault-storage.js'
import { BodyModel, firstFinding, KIND, openBodyChain, wrongWith } from '../../helpers/body-chain.js'
import { seededRandom } from '../../helpers/seeded-random.js'

/** Bytes that are not zero in all segments. */
function bytesIn(storage: FaultStorage): number {
  let bytes = 0
  for (const [name, { bytes: content }] of storage.snapshot())
    if (name.endsWith('.seg')) for (const byte of content) if (byte !== 0) bytes++
  return bytes
}

await t.test('deleted content is gone from the log, everything else stays, with the index and without', async (t) => {
  const storage = new FaultStorage()
  const store = new MemoryStore()
  const model = new BodyModel()
  const chain = await openBodyChain({ storage, store })
  for (let low = 1; low <= 40; low++) {
    model.put(chain, low, 20_000, low)
    await chain.view.commit()
  }
  model.copy(chain, 3, 103)
  for (let low = 1; low <= 30; low++) model.delete(chain, low)
  await chain.view.commit()
  const before = bytesIn(storage)
  const report = await chain.view.compact()
  t.equal(report.bodies, 29, 'all but the one that another record refers to')
  t.ok(before - bytesIn(storage) > 29 * 19_000, 'they are gone')
  t.equal(wrongWith(chain, model.contents), undefined)
  t.same(
    await chain.view.compact(),
    { bodies: 0, bytes: 0, freedBytes: 0, isDeferred: false },
    'nothing is left to drop',
  )
  await chain.close()
  t.equal(await firstFinding(storage), undefined)
  for (const index of [store, new MemoryStore()]) {
    const again = await openBodyChain({ storage, store: index })
    t.equal(wrongWith(again, model.contents), undefined)
    await again.close()
  }
})

await t.test('what lies in the segment that is written stays until it is closed', async (t) => {
  const storage = new FaultStorage()
  const model = new BodyModel()
  const store = new MemoryStore()
  const chain = await openBodyChain({ storage, store })
  model.put(chain, 1, 20_000, 1)
  await chain.view.commit()
  model.delete(chain, 1)
  await chain.view.commit()
  t.equal((await chain.view.compact()).bodies, 0)
  await chain.close()
  const again = await openBodyChain({ storage, store })
  t.equal((await again.view.compact()).bodies, 1)
  await again.close()
  t.equal(await firstFinding(storage), undefined)
})

await t.test('a chain with records of a kind that nobody knows is not compacted', async (t) => {
  const chain = await openBodyChain()
  const model = new BodyModel()
  model.put(chain, 1, 100, 1)
  chain.view.put(KIND + 1, 1, 1, Uint8Array.of(1))
  await chain.view.commit()
  await t.rejects(chain.view.compact(), { code: 'NOT_SUPPORTED' })
  chain.view.delete(KIND + 1, 1, 1)
  await chain.view.commit()
  await t.resolves(chain.view.compact())
  await chain.close()
  const without = await openBodyChain({ findReferences: () => false })
  new BodyModel().put(without, 1, 100, 1)
  await without.view.commit()
  await t.rejects(without.view.compact(), { code: 'NOT_SUPPORTED' })
  await without.close()
})

await t.test('a record that is committed while a compaction looks keeps what it refers to', async (t) => {
  const storage = new FaultStorage()
  const model = new BodyModel()
  const chain = await openBodyChain({ storage })
  for (let low = 1; low <= 20; low++) {
    model.put(chain, low, 20_000, low)
    await chain.view.commit()
  }
  const record = chain.view.get(KIND, 1, 4)?.slice() ?? new Uint8Array()
  for (let low = 1; low <= 10; low++) model.delete(chain, low)
  await chain.view.commit()
  const { onDropping } = chain.writer
  chain.writer.onDropping = async (bytes, outwaits) => {
    // Nobody may do this: a reference from nowhere. It is safe all the same.
    chain.view.put(KIND, 1, 104, record)
    model.contents.set(104, { length: 20_000, byte: 4 })
    await chain.view.commit()
    return await onDropping(bytes, outwaits)
  }
  t.equal((await chain.view.compact()).bodies, 9)
  t.equal(wrongWith(chain, model.contents), undefined)
  await chain.close()
})

await t.test('while somebody reads an older state nothing is dropped', async (t) => {
  const storage = new FaultStorage()
  const model = new BodyModel()
  const chain = await openBodyChain({ storage })
  for (let low = 1; low <= 10; low++) {
    model.put(chain, low, 20_000, low)
    await chain.view.commit()
  }
  let isReading = true
  chain.view.keepBodiesFor(() => () => !isReading)
  const slice = chain.view.get(KIND, 1, 1)
  model.delete(chain, 1)
  await chain.view.commit()
  const before = bytesIn(storage)
  const compacted = chain.view.compact()
  await new Promise((resolve) => setTimeout(resolve, 700))
  t.ok(bytesIn(storage) >= before, 'nothing is gone yet')
  t.ok(slice !== undefined)
  isReading = false
  t.equal((await compacted).bodies, 1)
  await chain.close()
})

await t.test('a compaction that waits for a reader ends when the chain is closed', async (t) => {
  const model = new BodyModel()
  const chain = await openBodyChain()
  for (let low = 1; low <= 10; low++) {
    model.put(chain, low, 20_000, low)
    await chain.view.commit()
  }
  chain.view.keepBodiesFor(() => () => false)
  model.delete(chain, 1)
  await chain.view.commit()
  const compacted = chain.view.compact()
  await chain.close()
  t.equal((await compacted).bodies, 0)
})

for (const seed of [1, 2, 3, 4, 5, 6]) {
  await t.test(
    `whatever is written, copied, deleted, compacted and reopened, what is held is right (${seed})`,
    async (t) => {
      const random = seededRandom(seed)
      const pick = (count: number): number => Math.floor(random() * count)
      const storage = new FaultStorage()
      let store = new MemoryStore()
      const model = new BodyModel()
      let chain = await openBodyChain({ storage, store })
      let dropped = 0
      for (let step = 0; step < 400; step++) {
        const action = random()
        const low = 1 + pick(60)
        if (action < 0.45) model.put(chain, low, 1 + pick(pick(4) === 0 ? 60_000 : 3000), 1 + pick(255))
        else if (action < 0.55) model.copy(chain, low, 1 + pick(60))
        else if (action < 0.75) model.delete(chain, low)
        else if (action < 0.9) void chain.view.commit()
        else if (action < 0.95) {
          const compacted = chain.view.compact()
          for (let more = pick(4); more > 0; more--) model.put(chain, 1 + pick(60), 1 + pick(3000), 1 + pick(255))
          if (pick(2) === 0) await chain.view.commit()
          dropped += (await compacted).bodies
          const wrong = wrongWith(chain, model.contents)
          if (wrong !== undefined) return t.fail(`step ${step}: ${wrong}`)
        } else if (action < 0.98) {
          await chain.close()
          if (pick(3) === 0) store = new MemoryStore()
          chain = await openBodyChain({ storage, store })
          const wrong = wrongWith(chain, model.contents)
          if (wrong !== undefined) return t.fail(`step ${step}: ${wrong}`)
        }
      }
      await chain.close()
      t.equal(await firstFinding(storage), undefined)
      const rebuilt = await openBodyChain({ storage, store: new MemoryStore(), readOnly: true })
      t.equal(wrongWith(rebuilt, model.contents), undefined)
      t.ok(dropped > 20, `${dropped} bodies were dropped`)
      await rebuilt.close()
    },
  )
}

await t.test('what was dropped when the process was killed is given back by the next one', async (t) => {
  const storage = new FaultStorage()
  const store = new HistoryStore()
  const note = (): void => storage.mark(store.steps.length)
  store.onStep = note
  const model = new BodyModel()
  const chain = await openBodyChain({ storage, store })
  for (let low = 1; low <= 20; low++) {
    model.put(chain, low, 20_000, low)
    await chain.view.commit()
  }
  for (let low = 1; low <= 10; low++) model.delete(chain, low)
  await chain.view.commit()
  await chain.view.compact()
  const after = bytesIn(storage)
  const { operations } = storage
  const isPunch = (operation: Operation): boolean =>
    operation.kind === 'write' && operation.bytes.length > 4096 && operation.bytes.every((byte) => byte === 0)
  const first = operations.findIndex(isPunch)
  const last = operations.findLastIndex(isPunch)
  t.ok(first > 0 && last > first)
  for (const count of [first, first + 1, last]) {
    const killed = FaultStorage.afterKill(operations.slice(0, count))
    t.ok(bytesIn(killed) > after + 4096, 'something is still there')
    const steps = store.steps.slice(0, Number(lastNoteOf(operations.slice(0, count))))
    const reader = await openBodyChain({ storage: killed, store: HistoryStore.after(steps), readOnly: true })
    t.ok(bytesIn(killed) > after + 4096, 'whoever only reads changes nothing')
    await reader.close()
    const next = await openBodyChain({ storage: killed, store: HistoryStore.after(steps) })
    t.ok(Math.abs(bytesIn(killed) - after) < 1000, 'it is gone')
    t.equal(wrongWith(next, model.contents), undefined)
    await next.close()
  }
  await chain.close()
})

await t.test('where nothing is dead, or nothing happened, a compaction writes nothing', async (t) => {
  const storage = new FaultStorage()
  const store = new HistoryStore()
  const model = new BodyModel()
  const first = await openBodyChain({ storage, store })
  for (let low = 1; low <= 20; low++) {
    model.put(first, low, 20_000, low)
    await first.view.commit()
  }
  await first.close()
  const chain = await openBodyChain({ storage, store })
  model.copy(chain, 1, 101)
  model.put(chain, 200, 20_000, 2)
  await chain.view.commit()
  chain.writer.flushIndex()
  await chain.view.compact()
  const isWrite = ({ kind }: Operation): boolean => kind !== 'sync' && kind !== 'mark'
  const before = { written: storage.operations.filter(isWrite).length, index: store.steps.length }
  const { headSequence } = chain.view.writerStatus
  for (let round = 0; round < 3; round++)
    t.same(await chain.view.compact(), { bodies: 0, bytes: 0, freedBytes: 0, isDeferred: false })
  t.same({ written: storage.operations.filter(isWrite).length, index: store.steps.length }, before)
  t.equal(chain.view.writerStatus.headSequence, headSequence)
  await chain.close()
})

/** A chain that was closed with bodies of 20 records each, of which few are left. */
async function sparseChain(kept: number): Promise<{ storage: FaultStorage; store: MemoryStore; model: BodyModel }> {
  const storage = new FaultStorage()
  const store = new MemoryStore()
  const model = new BodyModel()
  const chain = await openBodyChain({ storage, store })
  for (let body = 0; body < 10; body++) {
    for (let low = body * 20; low < body * 20 + 20; low++) model.put(chain, low, 3000, 1 + low)
    await chain.view.commit()
  }
  for (const low of [...model.contents.keys()]) if (low % 20 >= kept) model.delete(chain, low)
  await chain.view.commit()
  await chain.close()
  return { storage, store, model }
}

await t.test('what is left of bodies is written together, and they go', async (t) => {
  const { storage, store, model } = await sparseChain(2)
  const before = bytesIn(storage)
  const chain = await openBodyChain({ storage, store })
  model.copy(chain, 21, 500)
  await chain.view.commit()
  t.equal((await chain.view.compact()).bodies, 10)
  t.equal(wrongWith(chain, model.contents), undefined)
  t.ok(before - bytesIn(storage) > 10 * 18 * 3000 - 40_000, 'all but what is left is gone')
  t.same(await chain.view.compact(), { bodies: 0, bytes: 0, freedBytes: 0, isDeferred: false }, 'and that stays')
  await chain.close()
  t.equal(await firstFinding(storage), undefined)
  for (const index of [store, new MemoryStore()]) {
    const again = await openBodyChain({ storage, store: index })
    t.equal(wrongWith(again, model.contents), undefined)
    await again.close()
  }
})

await t.test('bodies of which enough is left stay as they are', async (t) => {
  const { storage, store, model } = await sparseChain(8)
  const chain = await openBodyChain({ storage, store })
  const { headSequence } = chain.view.writerStatus
  t.equal((await chain.view.compact()).bodies, 0)
  t.equal(chain.view.writerStatus.headSequence, headSequence, 'nothing was written')
  t.equal(wrongWith(chain, model.contents), undefined)
  await chain.close()
})

await t.test('what is changed and deleted while it is moved is as it was left', async (t) => {
  const { storage, store, model } = await sparseChain(2)
  const chain = await openBodyChain({ storage, store })
  const { onRepacking } = chain.writer
  chain.writer.onRepacking = async (work) => {
    model.put(chain, 21, 100, 7)
    model.delete(chain, 40)
    model.copy(chain, 41, 600)
    const isDone = await onRepacking(work)
    model.put(chain, 61, 100, 8)
    return isDone
  }
  t.equal((await chain.view.compact()).bodies, 9, 'one has a reference that is new')
  t.equal(wrongWith(chain, model.contents), undefined)
  t.equal((await chain.view.compact()).bodies, 1, 'the next one moves that too')
  t.equal(wrongWith(chain, model.contents), undefined)
  await chain.close()
  const again = await openBodyChain({ storage, store })
  t.equal((await again.view.compact()).bodies, 0)
  t.equal(wrongWith(again, model.contents), undefined)
  await again.close()
  t.equal(await firstFinding(storage), undefined)
})

await t.test('on a full disk nothing is moved, and nothing is lost', async (t) => {
  const { storage, store, model } = await sparseChain(2)
  const chain = await openBodyChain({ storage, store })
  storage.capacityBytes = 0
  await t.rejects(Promise.resolve(chain.view.reserve(100_000, false)), { code: 'NO_SPACE' })
  t.equal((await chain.view.compact()).bodies, 0)
  t.equal(wrongWith(chain, model.contents), undefined)
  await chain.close()
})
