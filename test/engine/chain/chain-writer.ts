/** The writing side of a chain: what it accepts after a failure, which index it believes, and when the index moves on. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { nativeCrypto as crypto } from '../../../src/adapters/node/native-crypto.js'
import { ChainWriter } from '../../../src/engine/chain/chain-writer.js'
import { ChangeStreamWriter } from '../../../src/engine/chain/change-stream.js'
import type { CommitRequest, ReceiveRequest } from '../../../src/engine/chain/committer.js'
import { openMemoryChain, type MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { AteError } from '../../../src/engine/error.js'
import { IndexReader } from '../../../src/engine/index/index-reader.js'
import { IndexWriter } from '../../../src/engine/index/index-writer.js'
import { LeafSeal } from '../../../src/engine/index/leaf-seal.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { type BatchBytes, createLog, openLog, readBatches, TailReader } from '../../../src/engine/log/index.js'
import type { SegmentFile } from '../../../src/engine/log/storage.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { GROUP_CONTENT, GROUP_RECORDS, type GroupDraft } from '../../../src/engine/log/types.js'
import { clock, keys } from '../../helpers/log-workbench.js'

const KIND = 20
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

/** A commit of one record, as the record view makes it. */
function commitOf(transaction: number, number = transaction): CommitRequest {
  const stream = new ChangeStreamWriter((length) => new Uint8Array(length), 16_384)
  stream.put(KIND, 1, transaction, bytes(`value ${transaction}`))
  const groups: GroupDraft[] = stream.finish().map((part) => ({ kind: GROUP_RECORDS, number, parts: [part] }))
  return { transaction, groups, isDurable: true }
}

/** Too large to be written together with what came before it. */
const largeGroup: GroupDraft = { kind: GROUP_CONTENT, number: 4, parts: [new Uint8Array(33 * 1024 * 1024)] }

await t.test('after an append that failed every later commit is refused, though the log would take it', async (t) => {
  const { writer, storage, keys } = await openMemoryChain({ crypto })
  await writer.submit(commitOf(1))
  // Refused before anything is written: the log itself is as good as before.
  const impossible = writer.submit(commitOf(2, -1))
  const together = writer.submit(commitOf(3))
  const behind = writer.submit({ ...commitOf(4), groups: [largeGroup] })
  await t.rejects(impossible, { code: 'BAD_ARGUMENT' })
  await t.rejects(together, { code: 'BAD_ARGUMENT' }, 'what would have been written with it')
  await t.rejects(behind, { code: 'BAD_ARGUMENT' }, 'what waited behind it')
  await t.rejects(writer.submit(commitOf(5)), { code: 'BAD_ARGUMENT' }, 'and what comes later')
  await writer.close()
  const sequences: number[] = []
  const { log } = await openLog({
    storage,
    crypto,
    keys,
    clock,
    readOnly: true,
    onBatch: ({ sequence }) => void sequences.push(sequence),
  })
  t.same(sequences, [1], 'there is a prefix, without the one that failed')
  await log.close()
})

await t.test('an opening that is given up when the index has taken in a part goes on from there', async (t) => {
  const first = await openMemoryChain({ crypto })
  const { storage, keys } = first
  for (let low = 0; low < 150; low++) {
    first.view.put(KIND, 1, low, new Uint8Array(65_536).fill(low))
    await first.view.commit()
  }
  await first.close()
  const store = new MemoryStore()
  const count = { batches: 0 }
  const openUntil = (last: number): Promise<ChainWriter> => {
    count.batches = 0
    const beforeBatch = (): void => {
      if (++count.batches === last) throw new AteError('ABORTED', 'enough')
    }
    return ChainWriter.open({ storage, crypto, keys, store, clock, readOnly: false, beforeBatch })
  }
  await t.rejects(openUntil(130), { code: 'ABORTED' })
  await (await openUntil(Infinity)).close()
  t.ok(count.batches > 20 && count.batches < 130, `${count.batches} batches are left`)
  const again = await openMemoryChain({ crypto, storage, keys, store })
  const items = again.view.range(KIND, 1, 0, 1000, 1000)
  t.ok(items.length === 150 && items.every(({ low, value }, i) => low === i && value[0] === i), 'nothing is missing')
  await again.close()
})

/** A writer whose reader lives on another thread, on a log of its own. */
async function writerApart(): Promise<{ writer: ChainWriter; indexed: number[] }> {
  const storage = new MemoryStorage()
  await createLog({ storage, crypto, keys, clock })
  const store = new MemoryStore()
  const writer = await ChainWriter.open({ storage, crypto, keys, store, clock, readOnly: false, nextTurn })
  const indexed: number[] = []
  writer.onIndexed = (transaction) => indexed.push(transaction)
  return { writer, indexed }
}

/** Longer than a flush of a few records takes. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn()
}

await t.test('the index is not changed again before its reader has seen the last change', async (t) => {
  const { writer, indexed } = await writerApart()
  for (const transaction of [1, 2]) await writer.submit(commitOf(transaction))
  t.ok(writer.flushIndex())
  await someTurns()
  t.same(indexed, [2])
  await writer.submit(commitOf(3))
  t.ok(writer.flushIndex())
  await someTurns()
  t.same(indexed, [2], 'the reader has not seen the first flush')
  await writer.submit(commitOf(4))
  await someTurns()
  t.same(indexed, [2], 'and a commit does not change that')
  writer.noteIndexSeen()
  await someTurns()
  t.same(indexed, [2, 4], 'then what came meanwhile is flushed at once')
  writer.noteIndexSeen()
  t.notOk(writer.flushIndex(), 'nothing is left')
  await writer.close()
})

/** What is written is there some turns later. */
class SlowStorage extends MemoryStorage {
  override async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    const segment = await super.openSegment(name, mode)
    const write = segment.write.bind(segment)
    segment.write = async (position, parts) => {
      for (let turn = 0; turn < 5; turn++) await nextTurn()
      await write(position, parts)
    }
    return segment
  }
}

await t.test(
  'who is told of a batch reads it from the log: what is sealed behind it and written still is not told',
  async (t) => {
    const storage = new SlowStorage()
    await createLog({ storage, crypto, keys, clock })
    const writer = await ChainWriter.open({
      storage,
      crypto,
      keys,
      store: new MemoryStore(),
      clock,
      readOnly: false,
      nextTurn,
    })
    const told = Array.from({ length: 12 }, async (_, i) => {
      // One at a time is under way, or two: what waits would be joined.
      for (let turn = 0; turn < 3 * i; turn++) await nextTurn()
      const { status } = await writer.submit({ ...commitOf(i + 1), isDurable: false })
      const reader = new TailReader({ storage, crypto, keys })
      const read: number[] = []
      for await (const { sequence } of reader.read(1, status.headSequence)) read.push(sequence)
      await reader.close()
      t.ok(read.length > 0 && read.at(-1) === status.headSequence)
      t.ok(status.durableSequence <= status.headSequence)
      return status.headSequence
    })
    t.equal(Math.max(...(await Promise.all(told))), writer.status.headSequence)
    await writer.close()
  },
)

/** A chain with one batch, a copy of it that has one more, and that one as others are brought it. */
async function copied(): Promise<{ writer: ChainWriter; run: BatchBytes[] }> {
  const open = async (storage: MemoryStorage): Promise<ChainWriter> =>
    ChainWriter.open({ storage, crypto, keys, store: new MemoryStore(), clock, readOnly: false })
  const storages = [new MemoryStorage(), new MemoryStorage()] as const
  await createLog({ storage: storages[0], crypto, keys, clock })
  const elsewhere = await open(storages[0])
  await elsewhere.submit(commitOf(1))
  await elsewhere.submit(commitOf(2))
  const run: BatchBytes[] = []
  for await (const { bytes } of readBatches({ storage: storages[0], crypto, keys }, 1, 2)) run.push(bytes)
  await createLog({ storage: storages[1], crypto, keys, clock })
  const writer = await open(storages[1])
  await writer.receive(request(1, run.slice(0, 1)), () => undefined)
  return { writer, run: run.slice(1) }
}

function request(transaction: number, run: readonly BatchBytes[]): ReceiveRequest {
  return { transaction, run, isDurable: false, mayMiss: false, refused: [] }
}

await t.test('a commit that is submitted behind a run that is taken in does not overtake it', async (t) => {
  const { writer, run } = await copied()
  const order: string[] = []
  const received = writer.receive(request(2, run), () => order.push('run'))
  const commits = [3, 4].map(async (transaction) => {
    const { status } = await writer.submit({ ...commitOf(transaction, 10 + transaction), isDurable: transaction > 3 })
    order.push(`${status.headSequence}`)
  })
  await Promise.all([received, ...commits])
  t.equal(order[0], 'run')
  t.equal(writer.status.headSequence, 4)
  await writer.close()
})

await t.test('a run that comes while commits wait is refused, and they go on', async (t) => {
  const { writer, run } = await copied()
  const commits = [2, 3].map((transaction) => writer.submit(commitOf(transaction, 10 + transaction)))
  await t.rejects(
    writer.receive(request(4, run), () => t.fail('nothing is kept')),
    { code: 'CONFLICT' },
  )
  await Promise.all(commits)
  t.equal(writer.status.headSequence, 3)
  await writer.close()
})

/** An index that holds a record the log has nothing of, as `disowned`, or sealed by another chain. */
async function strangeIndex(chain: MemoryChain, isForeign: boolean): Promise<MemoryStore> {
  const store = new MemoryStore()
  const other = await openMemoryChain({ crypto, store, ...(isForeign ? {} : { keys: chain.keys }) })
  for (let low = 0; low < 500; low++) other.view.put(KIND, 1, low, bytes(`strange ${low}`))
  await other.close()
  if (!isForeign) new IndexWriter(store, new LeafSeal(crypto, chain.keys), crypto, chain.keys).disown()
  return store
}

for (const isForeign of [false, true]) {
  const what = isForeign ? 'an index of another chain' : 'an index that was disowned'
  await t.test(`${what} is cleared and built again from the log`, async (t) => {
    const chain = await openMemoryChain({ crypto })
    chain.view.put(KIND, 1, 7, bytes('mine'))
    await chain.close()
    const store = await strangeIndex(chain, isForeign)
    const again = await openMemoryChain({ ...chain, crypto, store })
    t.same(
      again.view.range(KIND, 1, 0, 1000, 1000).map(({ low, value }) => [low, text(value)]),
      [[7, 'mine']],
    )
    t.equal(await again.writer.verifyIndex(), true)
    await again.close()
    const third = await openMemoryChain({ ...chain, crypto, store })
    t.equal(text(new IndexReader(store, new LeafSeal(crypto, chain.keys)).get(KIND, 1, 7)), 'mine')
    await third.close()
  })
}
