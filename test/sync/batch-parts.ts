/** Batches travel in parts; whoever puts them together holds no more than was announced. */
import * as fc from 'fast-check'
import t from 'tap'
import { groupBytesOf, groupsAt } from '../../src/engine/log/sparse-groups.js'
import { errorCode } from '../../src/engine/error.js'
import { batchItemPieces, type ReceivedBatch, readBatches } from '../../src/engine/log/index.js'
import { GROUP_CONTENT } from '../../src/engine/log/types.js'
import { BatchJoiner, batchParts, MAX_PART_BYTES } from '../../src/sync/index.js'
import { FaultStorage } from '../helpers/fault-storage.js'
import { create, crypto, draft, keys, open } from '../helpers/log-workbench.js'

async function batches(...contents: number[]): Promise<ReceivedBatch[]> {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage })
  for (const [i, bytes] of contents.entries()) await log.append([draft(i + 1, bytes)])
  const read: ReceivedBatch[] = []
  for await (const batch of readBatches({ storage, crypto, keys }, 1, contents.length)) read.push(batch)
  await log.close()
  return read
}

const [small, large] = await batches(700, 3 * MAX_PART_BYTES)
if (small === undefined || large === undefined) throw new Error('no batches')

/** The same without the content of the groups at these places of its table. */
function without(batch: ReceivedBatch, ...places: number[]): ReceivedBatch {
  const missing = places.map((place): ReceivedBatch['missing'][number] => {
    const { number, storedBytes } = batch.head.table[place] ?? { number: 0, storedBytes: 0 }
    return {
      kind: GROUP_CONTENT,
      number,
      storedBytes,
      finding: { kind: 'group', message: '' } as ReceivedBatch['missing'][number]['finding'],
    }
  })
  return { ...batch, missing }
}

t.test('a batch is the same behind its parts, which are as long as they may be', async (t) => {
  const joiner = new BatchJoiner()
  for (const batch of [small, large, small]) {
    const parts = [...batchParts(batchItemPieces(batch))]
    t.ok(parts.slice(0, -1).every(({ bytes, more }) => more && bytes.length === MAX_PART_BYTES))
    t.notOk(parts.at(-1)?.more)
    for (const [i, { bytes, more }] of parts.entries()) {
      const joined = joiner.add(bytes, more)
      if (i < parts.length - 1) t.equal(joined, undefined)
      else t.strictSame(joined, { head: batch.bytes.head, groups: batch.bytes.groups })
    }
    t.equal(joiner.waitingBytes, 0)
  }
})

t.test('what came as one piece goes on as it is; what does not lie as it is sent is put together', async (t) => {
  const [sent] = batchParts(batchItemPieces(small))
  const came = new BatchJoiner().add(sent?.bytes ?? new Uint8Array(), false)
  if (came === undefined) throw new Error('no batch')
  const again = (bytes: ReceivedBatch['bytes']): Uint8Array | undefined =>
    [...batchParts(batchItemPieces({ ...small, bytes }))][0]?.bytes
  t.equal(again(came)?.buffer, sent?.bytes.buffer)
  t.strictSame(again(came), sent?.bytes)
  const apart = { head: came.head.slice(), groups: came.groups }
  t.strictSame(again(apart), sent?.bytes)
  t.not(again(apart)?.buffer, sent?.bytes.buffer)
  // Something else lies before it.
  const copy = (sent?.bytes ?? new Uint8Array()).map((byte, at) => (at === 0 ? byte + 1 : byte))
  const moved = { head: copy.subarray(16, 16 + came.head.length), groups: copy.subarray(16 + came.head.length) }
  t.strictSame(again(moved), sent?.bytes)
})

t.test('content that is missing is not sent, and nothing is held for it behind', async (t) => {
  const batch = without(large, 1, 3, large.head.table.length - 1)
  const parts = [...batchParts(batchItemPieces(batch))]
  const sent = parts.reduce((sum, { bytes }) => sum + bytes.length, 0)
  t.ok(sent < large.bytes.head.length + large.bytes.groups.length)
  const joiner = new BatchJoiner()
  const joined = parts.map(({ bytes, more }) => joiner.add(bytes, more)).at(-1)
  let at = 0
  for (const [place, { storedBytes }] of large.head.table.entries()) {
    const group = joined === undefined ? undefined : groupsAt(joined, at, storedBytes)
    const isMissing = [1, 3, large.head.table.length - 1].includes(place)
    const right = isMissing ? undefined : large.bytes.groups.subarray(at, at + storedBytes)
    if (isMissing ? group !== undefined : group === undefined || Buffer.compare(group, right ?? group) !== 0)
      t.fail(`group ${place}`)
    at += storedBytes
  }
  t.equal(joined === undefined ? 0 : groupBytesOf(joined), at)
  t.ok((joined?.groups.length ?? at) < sent)
})

t.test('an item that fills its last part has no empty one behind it', async (t) => {
  const parts = [...batchParts([new Uint8Array(MAX_PART_BYTES - 3), new Uint8Array(3), new Uint8Array(MAX_PART_BYTES)])]
  t.strictSame(
    parts.map(({ bytes, more }) => [bytes.length, more]),
    [
      [MAX_PART_BYTES, true],
      [MAX_PART_BYTES, false],
    ],
  )
})

t.test('no more is kept than was announced', async (t) => {
  const item = new Uint8Array(MAX_PART_BYTES)
  item[0] = 1
  new DataView(item.buffer).setUint32(8, MAX_PART_BYTES, true)
  const joiner = new BatchJoiner()
  t.equal(joiner.add(item, true), undefined)
  t.throws(() => joiner.add(new Uint8Array(MAX_PART_BYTES), true), { code: 'BAD_FORMAT' }, 'more than it says')
  t.throws(
    () => new BatchJoiner().add(item.slice(0, 100), true),
    { code: 'BAD_FORMAT' },
    'a short part before the last',
  )
  new DataView(item.buffer).setUint32(8, 0xffff_ffff, true)
  t.throws(() => new BatchJoiner().add(item, true), { code: 'BAD_FORMAT' }, 'an announced length that none has')
})

t.test('what was never a batch is refused with BAD_FORMAT', async (t) => {
  const [good] = [...batchParts(batchItemPieces(without(small, 1)))]
  const change = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 })
  const spoilt = fc.record({ changes: change, cut: fc.nat(40), added: fc.uint8Array({ maxLength: 8 }) })
  let taken = 0
  fc.assert(
    fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 80 })), (input) => {
      let bytes: Uint8Array
      if (input instanceof Uint8Array) bytes = input
      else {
        const whole = good?.bytes ?? new Uint8Array(0)
        bytes = Uint8Array.from([...whole.subarray(0, whole.length - input.cut), ...input.added])
        for (const [at, value] of input.changes) bytes[at % bytes.length] = value
      }
      try {
        const joined = new BatchJoiner().add(bytes, false)
        taken++
        return joined !== undefined && joined.groups.length <= small.bytes.groups.length + bytes.length
      } catch (error) {
        return ['BAD_FORMAT', 'UNSUPPORTED_FORMAT'].includes(errorCode(error) ?? '')
      }
    }),
    { seed: 5, numRuns: 2000 },
  )
  t.ok(taken > 0, `${taken} were taken: changes that only who verifies them sees`)
})

t.test('where nothing may be missing, a batch that says so is refused by its first bytes', async (t) => {
  const [first] = batchParts(batchItemPieces(without(small, small.head.table.length - 1)))
  if (first === undefined) throw new Error('no parts')
  t.throws(() => new BatchJoiner({ mayMiss: false }).add(first.bytes, first.more), { code: 'BATCH_REFUSED' })
  // Its head is not looked at: what it announces is never allocated.
  const announced = first.bytes.slice(0, 300)
  new DataView(announced.buffer).setUint32(8, 256 * 1024 * 1024, true)
  t.throws(() => new BatchJoiner({ mayMiss: false }).add(announced, false), { code: 'BATCH_REFUSED' })
  for (const { bytes, more } of batchParts(batchItemPieces(small)))
    t.ok(new BatchJoiner({ mayMiss: false }).add(bytes, more))
})
