/**
 * Power failures and killed processes at every operation of sessions that compact: what opens afterwards holds everything
 * that was acknowledged, whatever was dropped by then, with the index as it was or without, and goes on as a sound chain.
 * ATEFS_TEST_LONG=1 tries every cut with every luck.
 */
import t from 'tap'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { OrderedStore } from '../../../src/engine/index/ordered-store.js'
import { BodyModel, commitAs, type Contents, firstFinding } from '../../helpers/body-chain.js'
import { lastCommitOf, openBodyChain, wrongWith } from '../../helpers/body-chain.js'
import { checkAll, type CrashNote, killsOf, powerFailuresOf } from '../../helpers/crash/crashes.js'
import { HistoryStore } from '../../helpers/crash/history-store.js'
import { FaultStorage } from '../../helpers/fault-storage.js'

interface Life {
  storage: FaultStorage
  store: HistoryStore
  /** What the chain held after each commit. */
  states: Contents[]
  dropped: number
}

async function live(): Promise<Life> {
  const storage = new FaultStorage()
  const store = new HistoryStore()
  const model = new BodyModel()
  const states: Contents[] = [new Map<number, never>()]
  let acknowledged = 0
  let dropped = 0
  const note = (): void => storage.mark({ acknowledged, indexSteps: store.steps.length } satisfies CrashNote)
  store.onStep = note
  for (const session of [1, 2, 3]) {
    const chain = await openBodyChain({ storage, store, segmentBytes: 24 * 1024 })
    const commit = async (): Promise<void> => {
      states.push(new Map(model.contents))
      await commitAs(chain, states.length - 1)
      acknowledged = states.length - 1
      note()
    }
    for (let low = session * 10; low < session * 10 + 8; low++) {
      model.put(chain, low, 7000, low)
      if (low % 3 === 0) model.put(chain, low + 100, 300, low)
      await commit()
    }
    for (let low = session * 10 - 3; low < session * 10 + 5; low++) model.delete(chain, low)
    model.copy(chain, session * 10 + 5, session * 10 + 205)
    await commit()
    const compacted = chain.view.compact()
    model.put(chain, session * 10 + 9, 500, 77)
    const committed = commit()
    dropped += (await compacted).bodies
    await committed
    note()
    if (session === 2) model.delete(chain, 27)
    if (session === 2) await commit()
    dropped += (await chain.view.compact()).bodies
    note()
    if (session !== 2) await chain.close()
  }
  note()
  return { storage, store, states, dropped }
}

const life = await live()
t.equal(life.dropped, 19, 'bodies were dropped, some of them because what was left of them was written anew')

async function openAndLook(storage: FaultStorage, store: OrderedStore, note: CrashNote): Promise<string | undefined> {
  const chain = await openBodyChain({ storage, store, segmentBytes: 24 * 1024 })
  const last = lastCommitOf(chain)
  if (last < note.acknowledged) return `commit ${last} is the last, ${note.acknowledged} was acknowledged`
  const contents: Contents = life.states[last] ?? new Map<number, never>()
  const wrong = wrongWith(chain, contents)
  if (wrong !== undefined) return `after opening: ${wrong}`
  await chain.view.compact()
  const model = new BodyModel()
  model.contents = new Map(contents)
  model.put(chain, 1, 3000, 1)
  await chain.view.commit()
  await chain.view.compact()
  await chain.close()
  const finding = await firstFinding(storage)
  if (finding !== undefined) return `after going on: ${finding}`
  for (const index of [store, new MemoryStore()]) {
    const again = await openBodyChain({ storage, store: index })
    const wrong = wrongWith(again, model.contents)
    if (wrong !== undefined) return `after reopening: ${wrong}`
    await again.close()
  }
  return undefined
}

const session = { ...life, openAndLook }

await t.test('after a power failure all that was acknowledged is there, whatever was dropped', (t) =>
  checkAll(t, session, powerFailuresOf(session, 3)),
)

await t.test('after the process is killed all that was acknowledged is there, whatever was dropped', (t) =>
  checkAll(t, session, killsOf(session, 8)),
)
