/** Batches that are taken in, and segments that are rotated: what a crash at any step leaves is a prefix of the chain that opens. */
import t from 'tap'
import { type BatchBytes, readBatches } from '../../../src/engine/log/index.js'
import { FaultStorage, mediumAfter } from '../../helpers/fault-storage.js'
import { seededRandom } from '../../helpers/seeded-random.js'
import { create, crypto, draft, filled, keys, numbersOf, open } from '../../helpers/log-workbench.js'

async function batchesOf(storage: FaultStorage, count: number): Promise<BatchBytes[]> {
  const batches: BatchBytes[] = []
  for await (const { bytes } of readBatches({ storage, crypto, keys }, 1, count))
    batches.push({ head: bytes.head.slice(), groups: bytes.groups.slice() })
  return batches
}

const accept = (): void => undefined

await t.test('a crash while batches are taken in leaves a prefix of them, and all that was durable', async (t) => {
  const original = new FaultStorage()
  const log = await filled(original, 6, 3000)
  await log.close()
  const batches = await batchesOf(original, 6)
  const copy = new FaultStorage()
  await create(copy)
  const { log: receiving } = await open({ storage: copy, segmentBytes: 8000 })
  const durable: { operations: number; batches: number }[] = []
  for (const [i, bytes] of batches.entries()) {
    // The first ones are made durable by the claims of those behind them only.
    await receiving.receive([bytes], { isDurable: i > 3, mayMiss: false, accept })
    if (i > 3) durable.push({ operations: copy.operations.length, batches: i + 1 })
  }
  await receiving.close()
  const random = seededRandom(5)
  let opened = 0
  for (let count = 0; count <= copy.operations.length; count++) {
    const done = copy.operations.slice(0, count)
    for (const unsynced of ['all', 'none', random, random, random, random] as const) {
      const files = mediumAfter(done, unsynced)
      if (!files.has('manifest')) continue
      const storage = FaultStorage.holding(files)
      const { batches: found, log: reopened } = await open({ storage, segmentBytes: 8000 })
      const numbers = numbersOf(found)
      const least = durable.findLast(({ operations }) => operations <= count)?.batches ?? 0
      const isPrefix = numbers.every((number, at) => number === at + 1) && numbers.length >= least
      if (!isPrefix) t.fail(`after ${count}: ${numbers.join()}`)
      // What is missing can be taken in again.
      for (const bytes of batches.slice(numbers.length))
        await reopened.receive([bytes], { isDurable: true, mayMiss: false, accept })
      t.equal(reopened.head?.sequence, 6)
      await reopened.close()
      opened++
    }
  }
  t.ok(opened > 40, `${opened} crashes`)
})

await t.test('a crash at any step of a rotation loses nothing, and the chain goes on', async (t) => {
  const storage = new FaultStorage()
  await create(storage)
  const segmentBytes = 16 * 1024
  const { log } = await open({ storage, segmentBytes })
  for (const number of [1, 2, 3]) await log.append([draft(number, 2000)])
  const before = storage.operations.length
  await log.rotate()
  await log.append([draft(4)])
  const rotated = storage.operations.length
  await log.rotate()
  await log.rotate()
  t.equal(log.closedSegments().size, 2, 'an empty segment is not closed')
  await log.close()
  for (let count = before; count <= storage.operations.length; count++) {
    for (const unsynced of ['all', 'none'] as const) {
      const files = mediumAfter(storage.operations.slice(0, count), unsynced)
      const { batches, log: reopened } = await open({ storage: FaultStorage.holding(files), segmentBytes })
      const numbers = numbersOf(batches)
      if (numbers.length < 3 || (count >= rotated && numbers.length < 4)) t.fail(`after ${count}: ${numbers.join()}`)
      await reopened.append([draft(numbers.length + 1)])
      await reopened.close()
    }
  }
  t.ok(storage.operations.length > before + 10)
})
