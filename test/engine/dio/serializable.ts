/**
 * Any interleaving of transactions comes to what some order of them comes to: that of their commits. Transactions of random
 * reads and writes are run side by side; then those that were committed are run again, one after another, on a model, and
 * must read and leave the same.
 */
import fc from 'fast-check'
import t from 'tap'
import type { DioMut } from '../../../src/engine/dio/dio-mut.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { errorCode } from '../../../src/engine/error.js'
import { mapOf } from '../../../src/engine/dio/link-definition.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { memoryChain } from '../../helpers/objects.js'

const Cell = dataType('Cell', plain<{ value: number }>())
const Table = dataType('Table', plain<object>(), { links: { cells: mapOf(Cell) } })
const NAMES = ['a', 'b', 'c', 'd']

type Step =
  | { kind: 'copy'; from: string; to: string }
  | { kind: 'add'; name: string }
  | { kind: 'delete'; name: string }
  | { kind: 'sum'; to: string }
  | { kind: 'commit' }

/** Cells as a transaction sees them. */
interface Cells {
  get(name: string): Promise<number | undefined>
  set(name: string, value: number): Promise<void>
  delete(name: string): Promise<void>
  all(): Promise<Map<string, number>>
}

async function run(step: Exclude<Step, { kind: 'commit' }>, cells: Cells): Promise<unknown> {
  switch (step.kind) {
    case 'copy': {
      const value = await cells.get(step.from)
      if (value !== undefined) await cells.set(step.to, value + 1)
      return value
    }
    case 'add':
      return cells.set(step.name, ((await cells.get(step.name)) ?? 0) + 1)
    case 'delete':
      return cells.delete(step.name)
    case 'sum': {
      const values = [...(await cells.all()).values()]
      const sum = values.reduce((total, value) => total + value, 0)
      await cells.set(step.to, sum)
      return [values.length, sum]
    }
    default:
      return step satisfies never
  }
}

async function cellsOf(dio: DioMut, key: Parameters<DioMut['load']>[1]): Promise<Cells> {
  const { cells } = await dio.load(Table, key)
  return {
    get: async (name) => (await cells.get(name))?.value,
    async set(name, value) {
      const cell = await cells.get(name)
      if (cell === undefined) cells.set(name, { value })
      else cell.value = value
    },
    async delete(name) {
      await cells.delete(name)
    },
    async all() {
      const all = new Map<string, number>()
      for await (const [name, { value }] of cells) all.set(name, value)
      return all
    },
  }
}

function modelOf(state: Map<string, number>): Cells {
  return {
    get: async (name) => state.get(name),
    set: async (name, value) => {
      state.set(name, value)
    },
    delete: async (name) => {
      state.delete(name)
    },
    all: async () => state,
  }
}

const name = fc.constantFrom(...NAMES)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('copy' as const), from: name, to: name }),
  fc.record({ kind: fc.constant('add' as const), name }),
  fc.record({ kind: fc.constant('delete' as const), name }),
  fc.record({ kind: fc.constant('sum' as const), to: name }),
  fc.record({ kind: fc.constant('commit' as const) }),
)
const schedule = fc.array(fc.record({ who: fc.integer({ min: 0, max: 3 }), step }), { minLength: 5, maxLength: 60 })

interface Done {
  steps: { step: Exclude<Step, { kind: 'commit' }>; outcome: unknown }[]
}

async function check(turns: { who: number; step: Step }[]): Promise<void> {
  await using chain = await memoryChain()
  const first = chain.dioMut()
  const { key } = first.store({}, { type: Table })
  await first.commit()
  const committed: Done[] = []
  const dios = Array.from({ length: 4 }, () => ({ dio: chain.dioMut(), done: [] as Done['steps'] }))
  for (const { who, step } of turns) {
    const actor = dios[who]
    if (actor === undefined) continue
    if (step.kind !== 'commit') {
      actor.done.push({ step, outcome: await run(step, await cellsOf(actor.dio, key)) })
      continue
    }
    const steps = actor.done
    actor.done = []
    // One that changes nothing read one moment: before, not after, what was committed since.
    const isWriter = actor.dio.hasChanges
    try {
      await actor.dio.commit()
      if (isWriter) committed.push({ steps })
    } catch (error) {
      if (errorCode(error) !== 'CONFLICT') throw error
    }
  }
  const state = new Map<string, number>()
  for (const { steps } of committed)
    for (const { step, outcome } of steps) {
      const again = await run(step, modelOf(state))
      if (JSON.stringify(again) !== JSON.stringify(outcome))
        throw new Error(
          `${JSON.stringify(step)} read ${JSON.stringify(outcome)}, in order it reads ${JSON.stringify(again)}`,
        )
    }
  const last = await (await cellsOf(chain.dioMut(), key)).all()
  if (JSON.stringify([...last].sort()) !== JSON.stringify([...state].sort()))
    throw new Error(`left ${JSON.stringify([...last])}, in order ${JSON.stringify([...state])}`)
}

await t.test('committed transactions come to what they come to one after another', async (t) => {
  const numRuns = Number(process.env['ATEFS_FUZZ_RUNS'] ?? 300)
  const seed = Number(process.env['ATEFS_FUZZ_SEED'] ?? 20261121)
  await fc.assert(fc.asyncProperty(schedule, check), { numRuns, seed })
  t.pass(`${numRuns} schedules`)
})
