/** A log that is kept without the keys of its chain: the bytes are the same, and what can be verified without keys is. */
import t from 'tap'
import { deriveChainKeys } from '../../../src/engine/crypto/chain-keys.js'
import { signingKeyFromSeed } from '../../../src/engine/crypto/signature.js'
import { errorCode } from '../../../src/engine/error.js'
import { type BatchBytes, createLog, openLog, readBatches } from '../../../src/engine/log/index.js'
import type { LogStorage } from '../../../src/engine/log/storage.js'
import type { ChainTrust } from '../../../src/engine/log/types.js'
import { RunEnd } from '../../../src/engine/log/run-end.js'
import { verifySignatures } from '../../../src/engine/log/verify-signatures.js'
import { FaultStorage, mediumAfter } from '../../helpers/fault-storage.js'
import { create, clock, crypto, draft, keys, MemoryAnchor, open } from '../../helpers/log-workbench.js'
import { seededRandom } from '../../helpers/seeded-random.js'

/** Those of whoever keeps the log: not of the chain. */
const own = deriveChainKeys(crypto, new Uint8Array(32).fill(77), keys.chainId, keys.suite)
const accept = (): void => undefined
const kept = { isDurable: false, mayMiss: false, accept }

async function batchesOf(storage: LogStorage, count: number): Promise<BatchBytes[]> {
  const batches: BatchBytes[] = []
  for await (const { bytes } of readBatches({ storage, crypto, keys }, 1, count))
    batches.push({ head: bytes.head.slice(), groups: bytes.groups.slice() })
  return batches
}

async function made(count: number, contentBytes: number): Promise<BatchBytes[]> {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage })
  for (let i = 1; i <= count; i++) await log.append([draft(i, contentBytes)])
  const batches = await batchesOf(storage, count)
  await log.close()
  return batches
}

async function createKeyless(storage: LogStorage, trust: ChainTrust = 'local'): Promise<void> {
  await createLog({ storage, crypto, keys: own, clock, trust })
}

async function openKeyless(storage: LogStorage, anchor = new MemoryAnchor()) {
  const sequences: number[] = []
  const { log } = await openLog({
    storage,
    crypto,
    keys: own,
    isKeyless: true,
    clock,
    anchor,
    readOnly: false,
    segmentBytes: 8000,
    onBatch: ({ sequence, records, dropped }) => {
      if (records.length + dropped.length > 0) throw new Error('it opened something')
      sequences.push(sequence)
    },
  })
  return { log, sequences }
}

async function readKeyless(storage: LogStorage, count: number): Promise<BatchBytes[]> {
  const batches: BatchBytes[] = []
  for await (const { bytes } of readBatches({ storage, crypto, keys: own, isKeyless: true }, 1, count))
    batches.push({ head: bytes.head.slice(), groups: bytes.groups.slice() })
  return batches
}

t.test('what is kept without keys comes out as it came in', async (t) => {
  const batches = await made(6, 3000)
  const storage = new FaultStorage()
  await createKeyless(storage)
  const { log } = await openKeyless(storage)
  for (const bytes of batches) await log.receive([bytes], kept)
  await log.reachDurable()
  t.equal(log.durableSequence, 6)
  t.strictSame(await readKeyless(storage, 6), batches)
  await log.close()
  const again = await openKeyless(storage)
  t.strictSame(again.sequences, [1, 2, 3, 4, 5, 6])
  await again.log.close()
})

t.test('what was changed, left out or put elsewhere is refused, and changes nothing', async (t) => {
  const [first, second, third] = await made(3, 500)
  if (first === undefined || second === undefined || third === undefined) throw new Error('no batches')
  const storage = new FaultStorage()
  await createKeyless(storage)
  const { log } = await openKeyless(storage)
  await log.receive([first], kept)
  const changed = (bytes: Uint8Array, at: number): Uint8Array =>
    bytes.map((byte, i) => (i === (at + bytes.length) % bytes.length ? byte ^ 1 : byte))
  const refused: [BatchBytes, string][] = [
    [third, 'CHAIN_GAP'],
    [first, 'CHAIN_FORKED'],
    [{ ...second, groups: changed(second.groups, -1) }, 'BATCH_REFUSED'],
    [{ ...second, groups: second.groups.subarray(1) }, 'BATCH_REFUSED'],
    [{ ...second, head: changed(second.head, 20) }, 'BATCH_REFUSED'],
    [{ ...second, head: changed(second.head, -40) }, 'BATCH_REFUSED'],
    [{ ...second, head: new Uint8Array(3) }, 'BATCH_REFUSED'],
  ]
  for (const [bytes, code] of refused) {
    const error: unknown = await log.receive([bytes], kept).catch((error: unknown) => error)
    t.equal(errorCode(error), code)
  }
  t.equal(log.head?.sequence, 1)
  await log.receive([second], kept)
  await log.receive([third], kept)
  t.equal(log.head?.sequence, 3)
  await log.close()
})

t.test('a crash leaves a prefix with all that was durable, and it goes on', async (t) => {
  const batches = await made(6, 3000)
  const storage = new FaultStorage()
  await createKeyless(storage)
  const anchor = new MemoryAnchor()
  const { log } = await openKeyless(storage, anchor)
  const durable: { operations: number; sequence: number; anchor: Uint8Array | undefined }[] = []
  for (const [i, bytes] of batches.entries()) {
    await log.receive([bytes], kept)
    if (i % 2 === 0) await log.reachDurable()
    durable.push({ operations: storage.operations.length, sequence: log.durableSequence, anchor: anchor.content })
  }
  await log.close()
  const random = seededRandom(6)
  let opened = 0
  for (let count = 1; count <= storage.operations.length; count++) {
    for (const luck of ['all', 'none', random] as const) {
      const files = mediumAfter(storage.operations.slice(0, count), luck)
      if (!files.has('manifest')) continue
      const least = durable.findLast(({ operations }) => operations <= count)
      const medium = FaultStorage.holding(files)
      const again = await openKeyless(medium, new MemoryAnchor(least?.anchor))
      const { length } = again.sequences
      if (length < (least?.sequence ?? 0)) t.fail(`after ${count}: ${length}`)
      for (const bytes of batches.slice(length)) await again.log.receive([bytes], kept)
      await again.log.reachDurable()
      if (again.log.durableSequence !== 6) t.fail(`after ${count}: it does not go on`)
      await again.log.close()
      opened++
    }
  }
  t.ok(opened > 40, `${opened} crashes`)
})

t.test('damage of what was durable is told, not cut', async (t) => {
  const batches = await made(3, 100)
  const storage = new FaultStorage()
  await createKeyless(storage)
  const anchor = new MemoryAnchor()
  const { log } = await openKeyless(storage, anchor)
  for (const bytes of batches) await log.receive([bytes], kept)
  await log.reachDurable()
  const files = storage.snapshot()
  const segment = files.get('0000000001.seg')
  if (segment === undefined) throw new Error('no segment')
  const at = segment.bytes.indexOf(batches[2]?.groups[40] ?? 0, 1500)
  segment.bytes[at] = (segment.bytes[at] ?? 0) ^ 1
  const error: unknown = await openKeyless(FaultStorage.holding(files), anchor).catch((error: unknown) => error)
  t.match(errorCode(error), /CHAIN_DAMAGED|CHAIN_ROLLED_BACK/)
  await log.close()
})

t.test('in distributed trust the signatures are verified, and runs are whole', async (t) => {
  const storage = new FaultStorage()
  await createLog({ storage, crypto, keys, clock, trust: 'distributed' })
  const { log } = await open({ storage })
  const signers = [signingKeyFromSeed(new Uint8Array(64).fill(1))]
  await log.append([1, 2, 3].map((number) => ({ ...draft(number, 100), signers })))
  await log.close()
  const batches = await batchesOf(storage, 3)
  const keyless = new FaultStorage()
  await createKeyless(keyless, 'distributed')
  const { log: keeping } = await openKeyless(keyless)
  const take = async (run: readonly BatchBytes[]): Promise<unknown> =>
    await keeping
      .receive(run, { ...kept, accept: (received) => verifySignatures(crypto, received) })
      .then(() => 'taken')
      .catch(errorCode)
  t.equal(await take(batches.slice(0, 2)), 'BATCH_REFUSED', 'without the one that has the signatures')
  const forged = batches.map(({ head, groups }) => ({ head: head.slice(), groups }))
  const last = forged.at(-1)?.head
  if (last === undefined) throw new Error('no batch')
  // Inside the signature: the digest of the batch goes with it, so it must be found by who verifies signatures.
  const at = last.length - 200
  last[at] = (last[at] ?? 0) ^ 1
  t.not(await take(forged), 'taken')
  t.equal(await take(batches), 'taken')
  t.equal(await take(batches), 'CHAIN_FORKED')
  await keeping.close()
})

t.test('up to where signatures are whole is told by what each batch says', async (t) => {
  const run = new RunEnd()
  for (const [end, ahead] of [
    [100, 0],
    [200, 2],
    [300, 1],
  ] as const)
    run.add(end, ahead)
  t.notOk(run.isWhole)
  t.equal(run.wholeTo, 100)
  run.add(400, 0)
  t.ok(run.isWhole)
  t.equal(run.wholeTo, 400)
})
