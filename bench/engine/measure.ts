// The parts of the benchmark: round after round, and in each round every contender once, in rotating order, so that a slow
// minute of the machine hits all.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../lib/command.js'
import { dropCaches, readFiles } from '../lib/image.js'
import type { Arguments } from './arguments.js'
import type { Contender, Durability, Part } from './contender.js'
import type { AppendResult, LoadResult } from './job.js'
import { type Launch, perform } from './launch.js'

export const LOADS = 30_000
/** Targets of appends are about batches of this many. */
export const TARGET_BATCH = 100

export interface Bench {
  readonly args: Arguments
  readonly launch: Launch
  readonly rounds: number
  /** Where the stores lie. */
  readonly root: string
}

export interface AppendRow {
  readonly durability: Durability
  readonly batch: number
  /** Callers at once. */
  readonly inFlight: number
  /** By contender. */
  readonly results: ReadonlyMap<string, readonly AppendResult[]>
}

export interface LoadRow {
  readonly objects: number
  readonly results: ReadonlyMap<string, readonly LoadResult[]>
}

async function inRounds<R>(
  bench: Bench,
  part: Part,
  measure: (contender: Contender) => Promise<R>,
  rounds = bench.rounds,
): Promise<Map<string, R[]>> {
  const contenders = bench.args.contenders.filter(({ parts }) => parts.includes(part))
  const results = new Map<string, R[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length]
      const isDue = contender !== undefined && (round === 0 || contender.hasTarget)
      if (isDue) results.get(contender.name)?.push(await measure(contender))
    }
  }
  return results
}

/** What an earlier store left to be written is nobody else's time. */
async function settleDisk({ root }: Bench): Promise<void> {
  await run('sync', ['-f', root])
}

export async function measureAppends(bench: Bench): Promise<AppendRow[]> {
  const rows: AppendRow[] = []
  for (const durability of ['memory', 'local'] as const) {
    for (const batch of bench.args.batches) {
      // What is durable can be waited for by several.
      for (const inFlight of durability === 'local' ? [1, ...bench.args.callers] : [1])
        rows.push({ durability, batch, inFlight, results: await measureAppend(bench, { durability, batch, inFlight }) })
    }
  }
  return rows
}

function measureAppend(
  bench: Bench,
  row: Pick<AppendRow, 'durability' | 'batch' | 'inFlight'>,
): Promise<Map<string, AppendResult[]>> {
  const rounds = row.batch === TARGET_BATCH ? bench.rounds : 1
  const measure = async ({ name }: Contender): Promise<AppendResult> => {
    const directory = join(bench.root, 'append')
    await settleDisk(bench)
    try {
      const { seconds } = bench.args
      return await perform(bench.launch, { kind: 'append', contender: name, directory, seconds, ...row })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }
  return inRounds(bench, 'append', measure, rounds)
}

const storeOf = ({ root }: Bench, contender: Contender, objects: number): string =>
  join(root, `${contender.name.replaceAll(/\W+/g, '-')}-${objects}`)

/** Makes the stores that `measureLoads` and `measureOpens` open; they may be there already. */
export async function buildStores(bench: Bench, built: Set<string>): Promise<void> {
  for (const objects of bench.args.objects) {
    for (const contender of bench.args.contenders) {
      if (!contender.parts.includes('load')) continue
      const directory = storeOf(bench, contender, objects)
      if (built.has(directory)) continue
      await perform(bench.launch, { kind: 'build', contender: contender.name, directory, objects })
      built.add(directory)
    }
  }
  await settleDisk(bench)
}

/** With what is read in the page cache. */
export async function measureLoads(bench: Bench): Promise<LoadRow[]> {
  return measureOpened(bench, 'load', async (contender, objects) => {
    const directory = storeOf(bench, contender, objects)
    await readFiles(directory)
    return perform(bench.launch, { kind: 'load', contender: contender.name, directory, loads: LOADS, warmUp: LOADS })
  })
}

/** With nothing in the page cache, and one object loaded. */
export async function measureOpens(bench: Bench): Promise<LoadRow[]> {
  return measureOpened(bench, 'open', async (contender, objects) => {
    await dropCaches()
    const directory = storeOf(bench, contender, objects)
    return perform(bench.launch, { kind: 'load', contender: contender.name, directory, loads: 1, warmUp: 0 })
  })
}

async function measureOpened(
  bench: Bench,
  part: Part,
  measure: (contender: Contender, objects: number) => Promise<LoadResult>,
): Promise<LoadRow[]> {
  const rows: LoadRow[] = []
  for (const objects of bench.args.objects)
    rows.push({ objects, results: await inRounds(bench, part, (contender) => measure(contender, objects)) })
  return rows
}
