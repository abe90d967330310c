/** File systems in distributed trust: what one of the named keys has signed counts, and nothing else, for every reader alike. */
import t, { type Test } from 'tap'
import { judgeBatch } from '../../../src/fs/daemon/judge.js'
import type { JudgeBatch } from '../../../src/engine/chain/batch-gate.js'
import { type MemoryChain, openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { ChangeStreamWriter } from '../../../src/engine/chain/change-stream.js'
import type { RecordView } from '../../../src/engine/chain/record-view.js'
import { publicKeyId, type SigningKey, signingKeyFromSeed } from '../../../src/engine/crypto/signature.js'
import { errorCode } from '../../../src/engine/error.js'
import { MemoryStorage, readBatches } from '../../../src/engine/log/index.js'
import { GROUP_CONTENT, GROUP_RECORDS } from '../../../src/engine/log/types.js'
import { checkFileSystem } from '../../../src/fs/vfs/check/check.js'
import { takeRecords } from '../../../src/fs/daemon/shared-receiver.js'
import { judgeReceived } from '../../../src/fs/vfs/judge-files.js'
import { openFileSystem } from '../../../src/fs/vfs/open.js'
import { KIND_STATE, STATE_WRITERS } from '../../../src/fs/vfs/records/record-kinds.js'
import { encodeWriters, decodeWriters } from '../../../src/fs/vfs/records/writers-record.js'
import { keys } from '../../helpers/log-workbench.js'
import { ManualTimer, NAME_KEY } from '../../helpers/open-memory-fs.js'
import { crypto } from '../../helpers/wire.js'

const keyOf = (byte: number): SigningKey => signingKeyFromSeed(new Uint8Array(64).fill(byte))
const idOf = ({ suite, publicKey }: SigningKey): Uint8Array => publicKeyId(crypto, suite, publicKey)
const OURS = keyOf(1)
const FOREIGN = keyOf(2)
const BOTH: JudgeBatch = judgeBatch

interface Copy {
  readonly chain: MemoryChain
  readonly refused: { sequence: number; code: string | undefined }[]
}

async function opened(storage = new MemoryStorage()): Promise<Copy> {
  const refused: Copy['refused'] = []
  const chain = await openMemoryChain({
    crypto,
    keys,
    storage,
    trust: 'distributed',
    judge: BOTH,
    onRefused: ({ sequence, error }) => void refused.push({ sequence, code: errorCode(error) }),
  })
  const judge = (run: Parameters<typeof judgeReceived>[1]): number[] => judgeReceived(crypto, run, chain.view)
  chain.view.trustWith({ signers: [OURS], judge })
  return { chain, refused }
}

function fileSystem({ chain }: Copy): ReturnType<typeof openFileSystem> {
  const onWarning = (message: string): never => {
    throw new Error(message)
  }
  const options = { nameKey: NAME_KEY, onWarning, timer: new ManualTimer(), writers: [idOf(OURS)] }
  return openFileSystem({ view: chain.view, options })
}

/** A chain with a file system that has a directory `here`. */
async function made(): Promise<MemoryStorage> {
  const storage = new MemoryStorage()
  const copy = await opened(storage)
  const fs = await fileSystem(copy)
  await fs.close()
  await copy.chain.close()
  return storage
}

/** The codes with which a batch is refused that somebody with the chain's key, and other code, has written. */
async function refusals(
  t: Test,
  write: (view: RecordView) => void,
  signers: readonly SigningKey[],
): Promise<unknown[]> {
  const storage = await made()
  const before = await opened(storage)
  const { headSequence } = before.chain.view.writerStatus
  t.strictSame(before.refused, [])
  write(before.chain.view)
  await before.chain.view.commit({ isDurable: true, signers })
  await before.chain.close()
  const after = await opened(storage)
  const fs = await fileSystem(after)
  for await (const { message } of checkFileSystem({ view: after.chain.view, nameKey: NAME_KEY })) t.fail(message)
  await fs.close()
  await after.chain.close()
  t.strictSame(
    await live(storage, headSequence + 1),
    after.refused.map(({ sequence }) => sequence),
    'the same where it comes from elsewhere',
  )
  return after.refused.map(({ code }) => code)
}

/** Sequences of the batches that a copy in use keeps as refused; it goes on to the last one. */
async function live(storage: MemoryStorage, sequence: number): Promise<number[]> {
  const kept = new MemoryStorage()
  const copy = await opened(kept)
  const refused: number[] = []
  for await (const { bytes } of readBatches({ storage, crypto, keys }, 1, sequence)) {
    const batches = await takeRecords(copy.chain.view, [bytes], { isDurable: true, mayMiss: false })
    refused.push(...batches.filter(({ isRefused }) => isRefused).map((batch) => batch.sequence))
  }
  const { view } = copy.chain
  const records = [...view.range(KIND_STATE, 0, 0, 100, 100)]
  if (view.writerStatus.headSequence !== sequence) throw new Error('it did not go on')
  await copy.chain.close()
  const again = await opened(kept)
  if (JSON.stringify(again.chain.view.range(KIND_STATE, 0, 0, 100, 100)) !== JSON.stringify(records))
    throw new Error('another state than at opening')
  await again.chain.close()
  return refused
}

await t.test('what is signed by the key that the root was made with counts', async (t) => {
  const storage = await made()
  const copy = await opened(storage)
  const fs = await fileSystem(copy)
  t.strictSame(copy.refused, [])
  t.strictSame(decodeWriters(copy.chain.view.get(KIND_STATE, 0, STATE_WRITERS) ?? new Uint8Array(0)), [idOf(OURS)])
  await fs.close()
  await copy.chain.close()
})

const other = (view: RecordView): void => view.put(KIND_STATE, 0, 9, Uint8Array.of(1))

await t.test('a batch that nobody has signed is refused', async (t) => {
  t.strictSame(await refusals(t, other, []), ['NOT_AUTHORIZED'])
})

await t.test('a batch that another key has signed is refused', async (t) => {
  t.strictSame(await refusals(t, other, [FOREIGN]), ['NOT_AUTHORIZED'])
})

await t.test('who may write cannot be changed, not even by who may write', async (t) => {
  const own = (view: RecordView): void => view.put(KIND_STATE, 0, STATE_WRITERS, encodeWriters([idOf(FOREIGN)]))
  t.strictSame(await refusals(t, own, [OURS]), ['NOT_AUTHORIZED'])
  const without = (view: RecordView): void => view.deleteRange(KIND_STATE, 0, 0, 5)
  t.strictSame(await refusals(t, without, [OURS]), ['NOT_AUTHORIZED'])
})

await t.test('content of a number that is given out is refused', async (t) => {
  const storage = await made()
  const write = async (number: number): Promise<void> => {
    const { chain } = await opened(storage)
    const changes = new ChangeStreamWriter((length) => new Uint8Array(length), 1000)
    changes.put(KIND_STATE, 0, 9, Uint8Array.of(1))
    const content = { kind: GROUP_CONTENT, number, parts: [new Uint8Array(100)] } as const
    const records = { kind: GROUP_RECORDS, number: number + 1, parts: [...changes.finish()] } as const
    await chain.writer.submit({ transaction: 1, isDurable: true, groups: [content, records], signers: [OURS] })
    await chain.close()
  }
  await write(1000)
  await write(1000)
  const copy = await opened(storage)
  t.strictSame(
    copy.refused.map(({ code }) => code),
    ['CONFLICT'],
  )
  const { headSequence } = copy.chain.view.writerStatus
  await copy.chain.close()
  t.strictSame(await live(storage, headSequence), [headSequence])
})

await t.test('records of objects are refused in a file system', async (t) => {
  t.strictSame(await refusals(t, (view) => view.put(39, 0, 0, Uint8Array.of(1, 0)), [OURS]), ['BATCH_REFUSED'])
})

await t.test('the record of who may write is read with bounds', (t) => {
  for (const bytes of [[], [2, 1], [1, 0], [1, 65], [1, 1, 5], [1, 1, ...new Array<number>(33).fill(0)]])
    t.throws(() => decodeWriters(Uint8Array.from(bytes)), { code: 'BAD_FORMAT' })
  t.end()
})
