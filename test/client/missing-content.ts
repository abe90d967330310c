/** Content that has not come with its batch is excused by a drop that counts, and by no other. */
import t from 'tap'
import { MissingContent, type MissingContentOptions } from '../../src/client/missing-content.js'
import { openMemoryChain } from '../../src/engine/chain/memory-chain.js'
import { encodeDrop, type ReceivedBatch, readBatches } from '../../src/engine/log/index.js'
import { DROP_NUMBER, GROUP_CONTENT, GROUP_DROP } from '../../src/engine/log/types.js'
import { crypto } from '../helpers/wire.js'

/** A batch whose content does not come, and one that drops it. */
async function withheld(): Promise<ReceivedBatch[]> {
  const made = await openMemoryChain({ crypto })
  const { writer, storage, keys } = made
  const content = { kind: GROUP_CONTENT, number: 10, parts: [new Uint8Array(1000)] } as const
  const drop = { kind: GROUP_DROP, number: DROP_NUMBER, parts: [encodeDrop([{ from: 10, to: 10 }])] } as const
  await writer.submit({ transaction: 1, isDurable: true, groups: [content] })
  await writer.submit({ transaction: 2, isDurable: true, groups: [drop] })
  const run = []
  for await (const { bytes } of readBatches({ storage, crypto, keys }, 1, 2)) run.push(bytes)
  await made.close()
  const other = await openMemoryChain({ crypto, keys })
  const [first, second] = run
  if (first === undefined || second === undefined) throw new Error('two batches')
  const gaps = [{ at: 0, length: first.groups.length, before: 0 }]
  const received = await other.view.verifyRun([{ ...first, groups: new Uint8Array(), gaps }, second], true)
  await other.close()
  return received
}

async function isMissing(options: MissingContentOptions): Promise<boolean[]> {
  const missing = new MissingContent(options)
  const [first, second] = await withheld()
  return [first, second].map((batch) => {
    if (batch !== undefined) missing.note([batch])
    return missing.isAny
  })
}

t.test('what a later batch drops is missing no more, where batches are judged', async (t) => {
  t.strictSame(await isMissing({}), [true, false])
})

t.test('what nobody judges excuses nothing', async (t) => {
  t.strictSame(await isMissing({ isUnjudged: true }), [true, true])
})

t.test('who fetches content when it is read misses none', async (t) => {
  t.strictSame(await isMissing({ isLazy: true }), [false, false])
})
