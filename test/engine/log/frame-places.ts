/** Batches are found in a log that grows, and whoever reads one segment again and again opens it once. */
import t from 'tap'
import { AteError } from '../../../src/engine/error.js'
import { FramePlaces } from '../../../src/engine/log/frame-places.js'
import { readBatches } from '../../../src/engine/log/index.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import type { SegmentFile } from '../../../src/engine/log/storage.js'
import { create, draft, keys, open } from '../../helpers/log-workbench.js'
import { crypto } from '../../helpers/wire.js'

class CountingStorage extends MemoryStorage {
  opened = 0
  reads = 0
  closed = 0

  override async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    const file = await super.openSegment(name, mode)
    if (mode !== 'read') return file
    this.opened++
    const read = file.read.bind(file)
    file.read = (position, length) => {
      this.reads++
      return read(position, length)
    }
    file.close = async () => {
      this.closed++
    }
    return file
  }
}

async function workbench(...contents: number[]) {
  const storage = new CountingStorage()
  await create(storage)
  const { log } = await open({ storage })
  const add = async (bytes: number): Promise<unknown> => log.append([draft(log.head?.sequence ?? 0, bytes, 60_000)])
  for (const bytes of contents) await add(bytes)
  const places = new FramePlaces({ storage, crypto, keys })
  const find = (sequence: number): Promise<number> =>
    places.withBatch(sequence, ({ frame }) => Promise.resolve(frame.head.link.sequence))
  Object.assign(storage, { opened: 0, reads: 0, closed: 0 })
  return { storage, log, add, places, find }
}

await t.test('what is asked again is not read again, and what is new is read by itself', async (t) => {
  const { storage, log, add, places, find } = await workbench(1000, 2000, 3000)
  t.equal(await find(3), 3)
  t.equal(await find(3), 3)
  const { reads } = storage
  t.equal(await find(3), 3)
  t.equal(storage.reads, reads)
  for (let sequence = 4; sequence < 10; sequence++) {
    await add(500)
    t.equal(await find(sequence), sequence)
  }
  t.equal(storage.opened, 1)
  t.equal(await find(1), 1)
  await t.rejects(find(99), { code: 'BAD_ARGUMENT' })
  await places.close()
  t.equal(storage.closed, storage.opened)
  await t.rejects(find(1), { code: 'CHAIN_CLOSED' })
  await log.close()
})

await t.test('who waits to pay for what was read holds no file', async (t) => {
  const { storage, log, add, places, find } = await workbench(1000)
  await log.rotate()
  await add(1000)
  let [hasRead, goOn] = [(): void => undefined, (): void => undefined]
  const pays = new Promise<void>((resolve) => (hasRead = resolve))
  const pay = (): Promise<void> => {
    hasRead()
    return new Promise((resolve) => (goOn = resolve))
  }
  const found = places.withBatch(1, async ({ frame, read }) => (await read(frame.position, 8)).length, pay)
  await pays
  t.equal(await find(2), 2)
  t.equal(storage.opened - storage.closed, 1, 'only the one that was asked for last')
  goOn()
  t.equal(await found, 8)
  await places.close()
  t.equal(storage.closed, storage.opened)
  await log.close()
})

await t.test('a segment that is read while another is asked for is closed when it was read', async (t) => {
  const { storage, log, add, places, find } = await workbench(1000)
  await log.rotate()
  await add(1000)
  let goOn: () => void = () => undefined
  const held = places.withBatch(1, ({ frame, read }) =>
    new Promise<void>((resolve) => (goOn = resolve)).then(() => read(frame.bodyPosition, 10)),
  )
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(await find(2), 2)
  t.equal(storage.opened, 2)
  t.equal(storage.closed, 0)
  goOn()
  t.equal((await held).length, 10)
  t.equal(storage.closed, 1)
  const all = await Promise.all([1, 2, 1, 2, 2, 1].map(find))
  t.same(all, [1, 2, 1, 2, 2, 1])
  await places.close()
  t.equal(storage.closed, storage.opened)
  await log.close()
})

await t.test(
  'who looks through much pays for it in slices, lets others in between, and stops when that fails',
  async (t) => {
    const { storage, log, places } = await workbench(...Array.from({ length: 120 }, () => 60_000))
    await log.rotate()
    const nothing = (): Promise<void> => Promise.resolve()
    const gone = new AteError('CHAIN_CLOSED', 'Who asked is gone.')
    const paid: number[] = []
    const pay = async (bytes: number): Promise<void> => {
      paid.push(bytes)
      if (paid.length === 2) throw gone
    }
    await t.rejects(places.withBatch(120, nothing, pay), { code: 'CHAIN_CLOSED' })
    const { reads } = storage
    t.ok(reads > 20 && reads < 45, `${reads} reads`)
    t.ok(Math.max(...paid) < 1.2 * 1024 * 1024)

    const order: string[] = []
    let goOn: () => void = () => undefined
    const long = places.withBatch(
      120,
      async () => void order.push('long'),
      () => new Promise((resolve) => (goOn = resolve)),
    )
    await places.withBatch(3, async () => void order.push('short'))
    while (order.length < 2) {
      goOn()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await long
    t.same(order, ['short', 'long'])
    t.ok(storage.reads - reads < 50, 'what was looked through is not again')
    await places.close()
    await log.close()
  },
)

await t.test('batches are read from where one is known to begin', async (t) => {
  const { storage, log, places, find } = await workbench(...Array.from({ length: 30 }, () => 60_000))
  await log.rotate()
  t.equal(places.knownBefore(25), undefined)
  await find(20)
  const from = storage.reads
  const read: number[] = []
  for await (const { sequence } of readBatches({ storage, crypto, keys }, 25, 27, { at: places.knownBefore(25) }))
    read.push(sequence)
  t.same(read, [25, 26, 27])
  const known = storage.reads - from
  for await (const { sequence } of readBatches({ storage, crypto, keys }, 25, 27)) read.push(sequence)
  t.same(read, [25, 26, 27, 25, 26, 27])
  t.ok(known < storage.reads - from - known, `${known} reads`)
  await places.close()
  await log.close()
})
