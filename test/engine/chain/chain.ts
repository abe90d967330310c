/** A whole chain in memory: what is put and staged is read back at every stage of its way to the index. */
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { type MemoryChain, openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import type { LogStorage } from '../../../src/engine/log/storage.js'
import { segmentName } from '../../../src/engine/log/format/segment-name.js'
import { MAX_BODY_BYTES, SEGMENT_BYTES, SHARED_BODY_BYTES } from '../../../src/engine/limits.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { CountingStorage } from '../../helpers/counting-storage.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { CutStorage } from '../../helpers/posix/cut-storage.js'
import type { BodySlice } from '../../../src/engine/chain/record-view.js'

const KIND = 20
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)

function addContent({ view }: MemoryChain, value: Uint8Array): BodySlice {
  const staged = view.stage(value.length)
  staged.set(value)
  return view.addBody(staged)
}

function readContent({ view }: MemoryChain, { body, offset, length }: BodySlice): Uint8Array {
  const opened = view.readBody(body)
  if (opened instanceof Promise) throw new Error('the body is here')
  return opened.subarray(offset, offset + length)
}

function reopen({ keys, storage, store }: MemoryChain): Promise<MemoryChain> {
  return openMemoryChain({ crypto: nativeCrypto, keys, storage, store })
}

await t.test('records are read before, during and after their commit, and after reopening', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  const { view } = chain
  view.put(KIND, 1, 5, bytes('five'))
  view.put(KIND, 1, 7, bytes('seven'))
  view.put(KIND, 2, 5, bytes('other'))
  t.equal(text(view.get(KIND, 1, 5)), 'five')
  const committed = view.commit()
  view.put(KIND, 1, 6, bytes('six'))
  view.delete(KIND, 1, 5)
  t.equal(view.get(KIND, 1, 5), undefined)
  await committed
  t.strictSame(
    view.range(KIND, 1, 0, 100, 10).map((item) => [item.low, text(item.value)]),
    [
      [6, 'six'],
      [7, 'seven'],
    ],
  )
  await chain.close()

  const again = await reopen(chain)
  t.equal(again.view.get(KIND, 1, 5), undefined)
  t.equal(text(again.view.get(KIND, 1, 6)), 'six')
  t.equal(again.view.floor(KIND, 1, 100)?.low, 7)
  t.equal(text(again.view.get(KIND, 2, 5)), 'other')
  again.view.deleteRange(KIND, 1, 6, 6)
  await again.close()

  const third = await reopen(chain)
  t.strictSame(
    third.view.range(KIND, 1, 0, 100, 10).map((item) => item.low),
    [7],
  )
  await third.close()
})

await t.test('bodies are read before, during and after their commit, and after reopening', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  const contents = Array.from({ length: 200 }, (_, i) => new Uint8Array(1 + i * 300).fill(i))
  const slices = contents.map((content) => addContent(chain, content))
  const check = (from: MemoryChain) =>
    slices.every((slice, i) => Buffer.compare(readContent(from, slice), contents[i] ?? new Uint8Array()) === 0)
  t.ok(new Set(slices.map((slice) => slice.body)).size < slices.length, 'small pieces share bodies')
  t.ok(check(chain))
  const committed = chain.view.commit()
  t.ok(check(chain))
  await committed
  t.equal(chain.view.inFlightBytes, 0)
  t.ok(check(chain))
  await chain.close()
  const again = await reopen(chain)
  t.ok(check(again))
  await again.close()
})

await t.test('small contents share small bodies, pieces of large ones share large bodies', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  const { view } = chain
  const bodies = (count: number, bytes: number, contentBytes: number): number =>
    new Set(Array.from({ length: count }, () => view.addBody(view.stage(bytes), contentBytes).body)).size
  t.equal(bodies(240, 256, 256), (240 * 256) / SHARED_BODY_BYTES)
  await view.commit()
  t.equal(bodies(4, SHARED_BODY_BYTES, SHARED_BODY_BYTES), 4)
  await view.commit()
  t.equal(bodies(16, 4096, 1e9), (16 * 4096) / MAX_BODY_BYTES)
  await chain.close()
})

await t.test(
  'room is asked for before there is none left, so that a writer that commits now and then never waits',
  async (t) => {
    const chain = await openMemoryChain({ crypto: nativeCrypto })
    const { view } = chain
    await view.reserve(1, false)
    let waits = 0
    for (let i = 0; i < 200; i++) {
      if (view.reserve(1_000_000, false) !== undefined) waits++
      view.addBody(view.stage(1_000_000))
      await view.commit({ isDurable: false })
    }
    t.equal(waits, 0, '200 MB, three segments')
    await chain.close()
  },
)

await t.test('a disk that has no room ahead is asked again only when there is none left', async (t) => {
  const storage = new FaultStorage({ capacityBytes: 20 * 1024 * 1024 })
  const chain = await openMemoryChain({ crypto: nativeCrypto, storage })
  const { view, writer } = chain
  let asked = 0
  const makeRoom = writer.makeRoom.bind(writer)
  writer.makeRoom = () => (asked++, makeRoom())
  await view.reserve(1, false)
  for (let i = 0; i < 100; i++) t.equal(view.reserve(1000, false), undefined)
  await view.commit()
  t.equal(asked, 1)
  await t.rejects(view.reserve(60_000_000, false) ?? Promise.resolve(), { code: 'NO_SPACE' })
  storage.capacityBytes = Infinity
  await view.reserve(60_000_000, false)
  t.equal(view.reserve(1000, false), undefined)
  await chain.close()
})

await t.test('a run that is refused because commits wait does not stand for them', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  const { view } = chain
  await view.reserve(1000, false)
  const order: string[] = []
  const commits = [1, 2].map((low) => {
    view.put(KIND, 1, low, bytes('value'))
    return view.commit().then(() => order.push('commit'))
  })
  const run = { isDurable: true, mayMiss: false, apply: () => t.fail('nothing is kept') }
  await t.rejects(view.receive([], run), { code: 'CONFLICT' })
  await view.commit().then(() => order.push('all'))
  t.strictSame(order, ['commit', 'commit', 'all'])
  await Promise.all(commits)
  await chain.close()
})

await t.test('a lost index is rebuilt from the log', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  for (let i = 0; i < 500; i++) {
    chain.view.put(KIND, i % 7, i, bytes(`value ${i}`))
    if (i % 50 === 0) await chain.view.commit()
  }
  const slice = addContent(chain, bytes('content'))
  await chain.close()
  chain.store.clear()
  const again = await reopen(chain)
  for (let i = 0; i < 500; i++) t.equal(text(again.view.get(KIND, i % 7, i)), `value ${i}`)
  t.equal(text(readContent(again, slice)), 'content')
  t.equal(await again.writer.verifyIndex(), true)
  await again.close()
})

await t.test('an index ahead of its log, or of another chain, is rebuilt', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  chain.view.put(KIND, 1, 1, bytes('mine'))
  await chain.close()
  const other = await openMemoryChain({ crypto: nativeCrypto, keys: chain.keys })
  other.view.put(KIND, 1, 2, bytes('theirs'))
  await other.view.commit()
  other.view.put(KIND, 1, 3, bytes('theirs'))
  await other.close()
  const mixed = await openMemoryChain({ ...chain, crypto: nativeCrypto, store: other.store })
  t.equal(text(mixed.view.get(KIND, 1, 1)), 'mine')
  t.equal(mixed.view.get(KIND, 1, 2), undefined)
  t.equal(mixed.view.get(KIND, 1, 3), undefined)
  await mixed.close()
})

/** Sessions of some 10 MB each on one storage, all but the last one closed. Returns the last, open. */
async function longHistory(storage: LogStorage): Promise<MemoryChain> {
  let chain = await openMemoryChain({ crypto: nativeCrypto, storage })
  for (let session = 1; ; session++) {
    for (let i = 0; i < 150; i++) {
      chain.view.put(KIND, session, i, new Uint8Array(60_000).fill(i))
      await chain.view.commit()
    }
    if (session === 3) return chain
    await chain.close()
    chain = await reopen(chain)
  }
}

await t.test('an ordinary opening reads only the end of the log', async (t) => {
  const chain = await longHistory(new MemoryStorage())
  await chain.close()
  const storage = new CountingStorage(chain.storage)
  const again = await openMemoryChain({ ...chain, crypto: nativeCrypto, storage })
  t.ok(again.writer.status.logBytes > 27_000_000)
  t.ok(storage.bytesRead < 2_000_000, `${storage.bytesRead} bytes were read`)
  t.equal(again.view.get(KIND, 3, 149)?.length, 60_000)
  await again.close()
})

await t.test('an opening after a crash reads only the segment that was being written', async (t) => {
  const medium = new MemoryStorage()
  const cut = new CutStorage(medium)
  const chain = await longHistory(cut)
  chain.writer.flushIndex()
  chain.view.put(KIND, 9, 9, bytes('not in the index'))
  await chain.view.commit()
  cut.isCut = true
  const storage = new CountingStorage(medium)
  const again = await openMemoryChain({ ...chain, crypto: nativeCrypto, storage })
  t.equal(storage.bytesReadOf(segmentName(1)) + storage.bytesReadOf(segmentName(2)), 0)
  // Its frames, to find where the index is, and once more the end with the space reserved behind it.
  t.ok(storage.bytesReadOf(segmentName(3)) < 1.5 * SEGMENT_BYTES, `${storage.bytesRead} bytes were read`)
  t.equal(text(again.view.get(KIND, 9, 9)), 'not in the index')
  t.equal(again.view.get(KIND, 3, 149)?.length, 60_000)
  await again.close()
})

await t.test('a commit with nothing to do waits for those under way', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  chain.view.put(KIND, 1, 1, bytes('x'))
  const order: string[] = []
  const first = chain.view.commit().then(() => order.push('first'))
  const second = chain.view.commit().then(() => order.push('second'))
  await Promise.all([first, second])
  t.strictSame(order, ['first', 'second'])
  await chain.close()
})

await t.test('what is open for reading takes no changes into the log', async (t) => {
  const chain = await openMemoryChain({ crypto: nativeCrypto })
  chain.view.put(KIND, 1, 1, bytes('x'))
  await chain.close()
  const reader = await openMemoryChain({ ...chain, crypto: nativeCrypto, readOnly: true })
  t.ok(reader.view.readOnly)
  t.equal(text(reader.view.get(KIND, 1, 1)), 'x')
  await t.rejects(Promise.resolve(reader.view.reserve(10_000_000_000, false)), { code: 'READ_ONLY' })
  await reader.close()
})
