/** The log of a server in distributed trust: batches that share signatures are kept together, whatever a crash leaves. */
import t from 'tap'
import { signingKeyFromSeed } from '../../src/engine/crypto/signature.js'
import { type BatchBytes, createLog, readBatches } from '../../src/engine/log/index.js'
import { createRelayLog, RelayLog } from '../../src/server/relay-log.js'
import { FaultStorage, mediumAfter } from '../helpers/fault-storage.js'
import { clock, crypto, draft, keys, MemoryAnchor, open } from '../helpers/log-workbench.js'
import { seededRandom } from '../helpers/seeded-random.js'

const options = { crypto, storageSecret: new Uint8Array(32).fill(4), clock }

async function runs(): Promise<BatchBytes[][]> {
  const storage = new FaultStorage()
  await createLog({ storage, crypto, keys, clock, trust: 'distributed' })
  const { log } = await open({ storage })
  const signers = [signingKeyFromSeed(new Uint8Array(64).fill(1))]
  for (const first of [1, 4]) await log.append([0, 1, 2].map((i) => ({ ...draft(first + i, 500), signers })))
  await log.close()
  const batches: BatchBytes[] = []
  for await (const { bytes } of readBatches({ storage, crypto, keys }, 1, 6))
    batches.push({ head: bytes.head.slice(), groups: bytes.groups.slice() })
  return [batches.slice(0, 3), batches.slice(3)]
}

t.test('a crash leaves whole runs, and what was lost can be brought again', async (t) => {
  const made = await runs()
  const storage = new FaultStorage()
  const facts = { id: keys.chainId, suite: keys.suite, trust: 'distributed' } as const
  await createRelayLog(options, { storage, anchor: new MemoryAnchor() }, facts)
  const anchor = new MemoryAnchor()
  const log = await RelayLog.open(options, { storage, anchor })
  t.strictSame(log.facts, facts)
  const durable: { operations: number; sequence: number; anchor: Uint8Array | undefined }[] = []
  for (const run of made) {
    await log.receive(run)
    await log.reachDurable()
    durable.push({ operations: storage.operations.length, sequence: log.durableSequence, anchor: anchor.content })
  }
  t.equal(log.head.sequence, 6)
  const random = seededRandom(9)
  const found = new Set<number>()
  for (let count = 1; count <= storage.operations.length; count++)
    for (const luck of ['all', 'none', random, random] as const) {
      const files = mediumAfter(storage.operations.slice(0, count), luck)
      if (!files.has('manifest')) continue
      const least = durable.findLast(({ operations }) => operations <= count)
      const medium = { storage: FaultStorage.holding(files), anchor: new MemoryAnchor(least?.anchor) }
      const again = await RelayLog.open(options, medium)
      const { sequence } = again.head
      found.add(sequence)
      if (sequence % 3 !== 0 || sequence < (least?.sequence ?? 0)) t.fail(`after ${count}: ${sequence}`)
      for (const run of made.slice(sequence / 3)) await again.receive(run)
      await again.reachDurable()
      if (again.durableSequence !== 6) t.fail(`after ${count}: it does not go on`)
      await again.close()
    }
  t.strictSame([...found].sort(), [0, 3, 6])
  await log.close()
})

t.test('what is durable never ends within batches that share signatures, whenever it is asked for', async (t) => {
  const made = await runs()
  const store = { storage: new FaultStorage(), anchor: new MemoryAnchor() }
  await createRelayLog(options, store, { id: keys.chainId, suite: keys.suite, trust: 'distributed' })
  const log = await RelayLog.open(options, store)
  const seen = new Set<number>()
  for (const run of made) {
    const state = { isReceived: false }
    const receiving = log.receive(run).finally(() => (state.isReceived = true))
    while (!state.isReceived) {
      await log.reachDurable()
      seen.add(log.durableSequence)
    }
    await receiving
  }
  await log.reachDurable()
  seen.add(log.durableSequence)
  t.ok(
    [...seen].every((sequence) => sequence % 3 === 0),
    [...seen].join(),
  )
  t.equal(log.durableSequence, 6)
  await log.close()
})
