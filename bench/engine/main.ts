// npm run bench:engine: chains of objects beside their peers and the floor, on one machine, in one run. Options: --help.
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { createImage } from '../lib/image.js'
import { machineFacts } from '../lib/machine.js'
import { type Arguments, type Mode, parseArguments, USAGE } from './arguments.js'
import { type Bench, buildStores, LOADS, measureAppends, measureLoads, measureOpens } from './measure.js'
import { fullReport, modeReport, type ModeResult } from './report.js'

const MAX_UNPINNED_ROUNDS = 3

async function runMode(args: Arguments, mode: Mode, root: string, built: Set<string>): Promise<ModeResult> {
  const bench: Bench = {
    args,
    launch: { core: mode === 'pinned' ? args.core : undefined, profileDir: args.profileDir },
    rounds: mode === 'pinned' ? args.rounds : Math.min(args.rounds, MAX_UNPINNED_ROUNDS),
    root,
  }
  const has = (part: string): boolean => args.parts.has(part)
  const appends = has('append') ? await measureAppends(bench) : []
  if (has('load') || has('open')) await buildStores(bench, built)
  const loads = has('load') ? await measureLoads(bench) : []
  const opens = has('open') ? await measureOpens(bench) : []
  const result = { mode, appends, loads, opens }
  process.stdout.write(`\n${mode}\n\n${modeReport(result, args.contenders, LOADS)}\n`)
  return result
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(USAGE)
  const args = parseArguments(process.argv.slice(2), cpus().length)
  if (process.getuid?.() !== 0) throw new Error('the benchmark needs root (loop mounts, dropping caches)')
  if (args.profileDir !== undefined) await mkdir(args.profileDir, { recursive: true })
  const facts = await machineFacts(args.contenders)
  const image = await createImage(args.imageGib, args.dir)
  const modes: ModeResult[] = []
  try {
    const built = new Set<string>()
    for (const mode of args.modes) modes.push(await runMode(args, mode, image.root, built))
  } finally {
    await image.destroy()
  }
  const rounds = `${args.rounds} rounds (unpinned: at most ${MAX_UNPINNED_ROUNDS})`
  if (args.out !== undefined) await writeFile(args.out, fullReport(facts, args.contenders, rounds, modes, LOADS))
}

await main()
