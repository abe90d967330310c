/**
 * Power failures and killed processes at every operation of a session in which records are forgotten: what opens afterwards
 * holds everything that was acknowledged, with the index as it was or without, and goes on to forget.
 * ATEFS_TEST_LONG=1 tries every cut with every luck.
 */
import t from 'tap'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { OrderedStore } from '../../../src/engine/index/ordered-store.js'
import { commitAs, firstFinding, lastCommitOf, openBodyChain } from '../../helpers/body-chain.js'
import { checkAll, type CrashNote, killsOf, powerFailuresOf } from '../../helpers/crash/crashes.js'
import { HistoryStore } from '../../helpers/crash/history-store.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { bytesIn, RecordModel, type Records, wrongRecords } from '../../helpers/record-model.js'

const SEGMENT_BYTES = 100_000
/** What the log has when records were forgotten. */
const MOST_BYTES = 350_000

const storage = new FaultStorage()
const store = new HistoryStore()
/** What the chain held after each commit. */
const states: Records[] = [new Map<number, Uint8Array>()]

async function live(): Promise<number> {
  const model = new RecordModel()
  let acknowledged = 0
  let freed = 0
  const note = (): void => storage.mark({ acknowledged, indexSteps: store.steps.length } satisfies CrashNote)
  store.onStep = note
  for (const session of [1, 2]) {
    const chain = await openBodyChain({ storage, store, segmentBytes: SEGMENT_BYTES })
    const commit = async (): Promise<void> => {
      states.push(new Map(model.records))
      await commitAs(chain, states.length - 1)
      acknowledged = states.length - 1
      note()
    }
    for (let round = 0; round < 5; round++) {
      for (const low of [1, 2, 3]) model.put(chain, 10 * session + low, 30_000)
      await commit()
      model.delete(chain, 10 * session + 1 + (round % 2))
      await commit()
    }
    const compacted = chain.view.compact()
    model.put(chain, session, 500)
    model.delete(chain, 10 * session + 3)
    const committed = commit()
    freed += (await compacted).freedBytes
    await committed
    if (session === 1) await chain.close()
    note()
  }
  return freed
}

const freed = await live()
t.ok(freed > 500_000, `${freed} bytes were given back`)
t.ok(bytesIn(storage) < MOST_BYTES)

async function openAndLook(storage: FaultStorage, store: OrderedStore, note: CrashNote): Promise<string | undefined> {
  const chain = await openBodyChain({ storage, store, segmentBytes: SEGMENT_BYTES })
  const last = lastCommitOf(chain)
  if (last < note.acknowledged) return `commit ${last} is the last, ${note.acknowledged} was acknowledged`
  const model = new RecordModel()
  model.records = new Map(states[last])
  const wrong = wrongRecords(chain, model.records)
  if (wrong !== undefined) return `after opening: ${wrong}`
  for (let round = 0; round < 10; round++) {
    for (const low of [1, 2, 3]) model.put(chain, 20 + low, 15_000)
    await chain.view.commit()
  }
  await chain.view.compact()
  const bytes = bytesIn(storage)
  await chain.close()
  if (bytes > MOST_BYTES) return `${bytes} bytes are left`
  const finding = await firstFinding(storage)
  if (finding !== undefined) return `after going on: ${finding}`
  for (const index of [store, new MemoryStore()]) {
    const again = await openBodyChain({ storage, store: index })
    const wrong = wrongRecords(again, model.records)
    if (wrong !== undefined) return `after reopening: ${wrong}`
    await again.close()
  }
  return undefined
}

const session = { storage, store, openAndLook }

await t.test('after a power failure all that was acknowledged is there, whatever was forgotten', (t) =>
  checkAll(t, session, powerFailuresOf(session, 20)),
)

await t.test('after the process is killed all that was acknowledged is there, whatever was forgotten', (t) =>
  checkAll(t, session, killsOf(session, 12)),
)
