/** Writing while sealing: what may overlap, and what must not. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { AteError } from '../../../src/engine/error.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import type { SegmentFile } from '../../../src/engine/log/storage.js'
import { create, draft, numbersOf, open } from '../../helpers/log-workbench.js'

interface Held {
  bytes: number
  let: (error?: Error) => void
}

/** A storage that holds every write of frames until it is let go or fails; headers pass. */
class HoldingStorage extends MemoryStorage {
  readonly held: Held[] = []
  isHolding = true

  override async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    const file = await super.openSegment(name, mode)
    const write = file.write.bind(file)
    file.write = async (position, parts) => {
      const bytes = parts.reduce((sum, part) => sum + part.length, 0)
      const content = parts.map((part) => part.slice())
      if (this.isHolding && position > 0)
        await new Promise<void>((resolve, reject) => {
          this.held.push({ bytes, let: (error) => (error === undefined ? resolve() : reject(error)) })
        })
      if (parts.some((part, i) => Buffer.compare(part, content[i] ?? new Uint8Array()) !== 0))
        throw new Error('the buffer was filled again while it was written')
      await write(position, parts)
    }
    return file
  }

  release(error?: Error): void {
    this.held.shift()?.let(error)
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await nextTurn()
}

async function opened() {
  const storage = new HoldingStorage()
  await create(storage)
  const { log } = await open({ storage })
  return { storage, log }
}

await t.test('the next frames are sealed while the last are written, and written after them', async (t) => {
  const { storage, log } = await opened()
  const done: number[] = []
  const appends = [1, 2, 3].map(async (number) => {
    await log.append([draft(number, 100_000 * number)], false)
    done.push(number)
  })
  await turns()
  t.equal(storage.held.length, 1, 'one write at a time')
  t.equal(log.head?.sequence, 2, 'the second is sealed')
  t.strictSame(done, [], 'and nothing is acknowledged')
  storage.release()
  await turns()
  t.strictSame(done, [1])
  t.equal(storage.held.length, 1)
  t.equal(log.head?.sequence, 3)
  storage.isHolding = false
  storage.release()
  await Promise.all(appends)
  t.strictSame(done, [1, 2, 3])
  await log.close()
  const again = await open({ storage })
  t.strictSame(numbersOf(again.batches), [1, 2, 3])
  await again.log.close()
})

await t.test('an append that must be durable waits for all before it', async (t) => {
  const { storage, log } = await opened()
  const first = log.append([draft(1, 100_000)], false)
  const durable = log.append([], true)
  await turns()
  t.equal(log.durableSequence, 0)
  storage.isHolding = false
  storage.release()
  await Promise.all([first, durable])
  t.equal(log.durableSequence, 1)
  await log.close()
})

await t.test('behind a write that failed nothing is written, and nothing is acknowledged', async (t) => {
  const { storage, log } = await opened()
  const appends = [1, 2, 3].map((number) => log.append([draft(number, 100_000)], false))
  const outcomes = Promise.allSettled(appends)
  await turns()
  storage.release(new AteError('INPUT_OUTPUT', 'the disk is gone'))
  t.ok((await outcomes).every(({ status }) => status === 'rejected'))
  await turns()
  t.equal(storage.held.length, 0, 'no other write was begun')
  await t.rejects(log.append([draft(4)]), { code: 'WRITE_FAILED' })
  await log.close()
})

await t.test('closing waits for what is written', async (t) => {
  const { storage, log } = await opened()
  const append = log.append([draft(1, 100_000)], false)
  let isClosed = false
  const closing = log.close().then(() => (isClosed = true))
  await turns()
  t.notOk(isClosed)
  storage.isHolding = false
  storage.release()
  await Promise.all([append, closing])
  t.ok(isClosed)
})
