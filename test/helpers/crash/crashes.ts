/** Every crash of a session, on a storage and with an index: what it left is opened with the index as it was then, and with none. */
import type { Test } from 'tap'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { OrderedStore } from '../../../src/engine/index/ordered-store.js'
import { firstFinding } from '../body-chain.js'
import { FaultStorage, type Operation } from '../fault-storage.js'
import { seededRandom } from '../seeded-random.js'
import { cuts, lastNoteOf, powerFailures } from './cuts.js'
import { HistoryStore } from './history-store.js'

/** With it every cut is tried, with every luck. */
export const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined

/** What a session notes in its storage. */
export interface CrashNote {
  /** Number of the last commit that was acknowledged. */
  acknowledged: number
  /** What had been written of the index. */
  indexSteps: number
}

export interface CrashedSession {
  storage: FaultStorage
  store: HistoryStore
  /** Says what is wrong with the chain that is there. */
  openAndLook: (storage: FaultStorage, store: OrderedStore, note: CrashNote) => Promise<string | undefined>
}

type Crash = [what: string, make: () => FaultStorage, operations: readonly Operation[]]

/** Of those that are not tried with IS_LONG only, each `every`th. */
export function* powerFailuresOf({ storage }: CrashedSession, every: number): Generator<Crash> {
  let turn = 0
  for (const { what, operations, files } of powerFailures(storage.operations, seededRandom(5), IS_LONG)) {
    if (++turn % every !== 0 && !IS_LONG) continue
    yield [what, () => FaultStorage.holding(files), operations]
  }
}

export function* killsOf({ storage }: CrashedSession, every: number): Generator<Crash> {
  let turn = 0
  for (const operations of cuts(storage.operations)) {
    if (++turn % every !== 0 && !IS_LONG) continue
    yield [`operation ${operations.length}`, () => FaultStorage.afterKill(operations), operations]
  }
}

export async function checkAll(t: Test, session: CrashedSession, crashes: Iterable<Crash>): Promise<void> {
  const failures: string[] = []
  let checked = 0
  for (const crash of crashes) {
    const problem = await check(session, crash).catch((error: unknown) => String(error))
    if (problem !== undefined) failures.push(`${crash[0]}: ${problem}`)
    checked++
  }
  t.same(failures, [], `${checked} crashes`)
  t.ok(checked > 10)
}

async function check({ store, openAndLook }: CrashedSession, [, make, operations]: Crash): Promise<string | undefined> {
  const note = lastNoteOf(operations) as CrashNote | undefined
  if (note === undefined) return undefined
  const finding = await firstFinding(make())
  if (finding !== undefined) return finding
  const steps = store.steps.slice(0, note.indexSteps)
  return (
    (await openAndLook(make(), HistoryStore.after(steps), note)) ?? (await openAndLook(make(), new MemoryStore(), note))
  )
}
