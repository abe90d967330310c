// Runs the rows: round after round, and in each round every system once, so that a slow minute of the machine hits all.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { dropCaches } from './image.js'
import type { Load, Sample } from './load.js'
import type { Context, Row } from './rows.js'
import type { Mounted } from './mounted.js'
import type { Tree } from './tree.js'

export interface Measurement extends Sample {
  /** From the start until everything was on the disk. */
  readonly durableNs: number
  /** From the start until the server has everything too; as `durableNs` where there is none. */
  readonly broughtNs: number
  /** CPU time of load and daemon while it ran: what the row costs however busy the machine is with other things. */
  readonly busyNs: number
  /** CPU time of the daemon from the end of the run until everything was on the disk. */
  readonly settleNs: number
}

/** System name -> its measurements of one row, one per round; or why there are none. */
export type RowResult = ReadonlyMap<string, readonly Measurement[] | string>

export interface Bench {
  readonly image: string
  readonly load: Load
  readonly tree: Tree
  readonly mounted: readonly Mounted[]
  readonly rounds: number
}

export async function measureRow(bench: Bench, row: Row): Promise<RowResult> {
  const results = new Map<string, Measurement[] | string>()
  for (const { system } of bench.mounted) results.set(system.name, row.excluded?.[system.name] ?? [])
  // The first round warms every system up and is not counted: a daemon runs for days, and its first second says little.
  for (let round = 0; round <= bench.rounds; round++) {
    for (let turn = 0; turn < bench.mounted.length; turn++) {
      const mounted = bench.mounted[(round + turn) % bench.mounted.length]
      const samples = mounted && results.get(mounted.system.name)
      if (mounted === undefined || samples === undefined || typeof samples === 'string') continue
      if (mounted.system.isSlow === true && round > 0 && round % 2 === 0) continue
      try {
        const sample = await measureOnce(bench, row, mounted, round)
        if (round > 0) samples.push(sample)
      } catch (error) {
        process.stderr.write(`${row.id} on ${mounted.system.name}: ${String(error)}\n${mounted.log()}\n`)
        results.set(mounted.system.name, 'failed')
      }
    }
  }
  return results
}

async function measureOnce(bench: Bench, row: Row, mounted: Mounted, round: number): Promise<Measurement> {
  const context: Context = {
    directory: join(mounted.directory, 'bench'),
    load: bench.load,
    tree: bench.tree,
    round,
  }
  await mkdir(context.directory, { recursive: true })
  if (round === 0) await row.prepare?.(context)
  await row.before?.(context)
  const settle = (): Promise<Sample> => bench.load.run(context.directory, 'settle', bench.image)
  await settle()
  await mounted.brought()
  if (row.isCold === true) await dropCaches()
  const before = await mounted.cpuNs()
  const began = performance.now()
  const sample = await row.run(context)
  const after = await mounted.cpuNs()
  const { ns } = await settle()
  const busyNs = sample.loadNs + after - before
  const measured = { ...sample, durableNs: sample.ns + ns, busyNs, settleNs: (await mounted.cpuNs()) - after }
  if (mounted.system.isServed !== true) return { ...measured, broughtNs: measured.durableNs }
  await mounted.brought()
  return { ...measured, broughtNs: (performance.now() - began) * 1e6 }
}
