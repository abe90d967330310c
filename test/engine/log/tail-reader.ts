/** A log's own batches, read again while more is appended: byte by byte, in order, over the ends of segments. */
import t from 'tap'
import { batchItemPieces, type Log, readBatches, TailReader } from '../../../src/engine/log/index.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import type { LogStorage } from '../../../src/engine/log/storage.js'
import { create, crypto, draft, keys, open } from '../../helpers/log-workbench.js'

interface Read {
  sequence: number
  bytes: string
}

/** So that some batches are several pieces, and some only one. */
const PIECE_BYTES = 5000

const textOf = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('base64')

async function tail(reader: TailReader, from: number, to: number): Promise<Read[]> {
  const all: Read[] = []
  for await (const { sequence, pieces } of reader.read(from, to)) {
    const copies: Uint8Array[] = []
    let isLast = false
    for await (const { bytes, more } of pieces(PIECE_BYTES)) {
      t.notOk(isLast || (more && bytes.length !== PIECE_BYTES), 'only the last piece is another')
      isLast = !more
      copies.push(Uint8Array.from(bytes))
    }
    t.ok(isLast)
    all.push({ sequence, bytes: textOf(copies) })
  }
  return all
}

async function verified(storage: LogStorage, from: number, to: number): Promise<Read[]> {
  const all: Read[] = []
  for await (const batch of readBatches({ storage, crypto, keys }, from, to))
    all.push({ sequence: batch.sequence, bytes: textOf(batchItemPieces(batch)) })
  return all
}

async function writing(): Promise<{
  storage: MemoryStorage
  log: Log
  append: (from: number, to: number) => Promise<void>
}> {
  const storage = new MemoryStorage()
  await create(storage)
  const { log } = await open({ storage, segmentBytes: 16 * 1024 })
  const append = async (from: number, to: number): Promise<void> => {
    for (let number = from; number <= to; number++) await log.append([draft(number, number * 700)], number % 2 === 0)
  }
  return { storage, log, append }
}

await t.test('what was appended is read once, in order, while more comes', async (t) => {
  const { storage, log, append } = await writing()
  const reader = new TailReader({ storage, crypto, keys })
  const all: Read[] = []
  for (let from = 1; from <= 28; from += 4) {
    await append(from, from + 3)
    if (from === 13) await log.rotate()
    all.push(...(await tail(reader, from, from + 3)))
  }
  t.strictSame(all, await verified(storage, 1, 28))
  await reader.close()
  await log.close()
})

await t.test('batches that are larger than what is read at once are read piece by piece', async (t) => {
  const { storage, log } = await writing()
  const reader = new TailReader({ storage, crypto, keys })
  for (const [i, bytes] of [700_000, 100, 70_000, 900_000, 5000].entries()) await log.append([draft(i, bytes)], true)
  t.strictSame(await tail(reader, 1, 5), await verified(storage, 1, 5))
  await reader.close()
  await log.close()
})

await t.test('reading begins anywhere, and again', async (t) => {
  const { storage, log, append } = await writing()
  await append(1, 20)
  const reader = new TailReader({ storage, crypto, keys })
  for (const [from, to] of [
    [7, 9],
    [10, 10],
    [3, 20],
    [20, 20],
    [1, 1],
  ] as const)
    t.strictSame(await tail(reader, from, to), await verified(storage, from, to), `${from} to ${to}`)
  t.strictSame(await tail(reader, 5, 4), [])
  await reader.close()
  await log.close()
})

await t.test('what the log has not is told, and nothing waits for it', async (t) => {
  const { storage, log, append } = await writing()
  await append(1, 3)
  const reader = new TailReader({ storage, crypto, keys })
  await t.rejects(tail(reader, 3, 4), { code: 'CHAIN_DAMAGED' })
  t.equal((await tail(reader, 1, 3)).length, 3, 'and the rest is read after it')
  await reader.close()
  await log.close()
})
