// npm run bench: atefs and its peers side by side, on one machine, in one run. Options: --help.
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { MAX_UNPINNED_ROUNDS, parseArguments, pick, USAGE, type Arguments, type Mode } from './lib/arguments.js'
import { createImage, type Image } from './lib/image.js'
import { Load } from './lib/load.js'
import { machineFacts } from './lib/machine.js'
import { measureRow } from './lib/measure.js'
import { fullReport, modeReport, rowSummary, type ModeResult } from './lib/report.js'
import { installPeers, requireRoot } from './lib/setup.js'
import { Mounted } from './lib/mounted.js'
import { SYSTEMS, type System } from './lib/systems.js'
import { makeTree, type Tree } from './lib/tree.js'

async function runMode(args: Arguments, mode: Mode, systems: readonly System[]): Promise<ModeResult> {
  const image = await createImage(args.imageGib, args.dir)
  const mounted: Mounted[] = []
  try {
    const core = mode === 'pinned' ? args.core : undefined
    const load = Load.on(await Load.compile(image.scratch), core)
    const tree: Tree = await makeTree(image.scratch)
    for (const system of systems) {
      await Mounted.start(system, image.root, core, args.profileDir).then(
        (one) => mounted.push(one),
        (error: unknown) => {
          if (!system.isPeer) throw error
          process.stderr.write(`${system.name} is left out: ${String(error)}\n`)
        },
      )
    }
    const rounds = mode === 'pinned' ? args.rounds : Math.min(args.rounds, MAX_UNPINNED_ROUNDS)
    const rows: { row: (typeof args.rows)[number]; result: Awaited<ReturnType<typeof measureRow>> }[] = []
    for (const row of args.rows) {
      const result = await measureRow({ image: image.root, load, tree, mounted, rounds }, row)
      process.stdout.write(`${mode}: ${rowSummary(row, result)}\n`)
      rows.push({ row, result })
    }
    return { mode, rows }
  } finally {
    await tearDown(image, mounted)
  }
}

async function tearDown(image: Image, mounted: readonly Mounted[]): Promise<void> {
  for (const one of mounted) {
    await one.stop().catch((error: unknown) => process.stderr.write(`${String(error)}\n${one.log()}\n`))
  }
  await image.destroy()
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(USAGE)
  const args = parseArguments(process.argv.slice(2), cpus().length)
  requireRoot()
  await installPeers()
  if (args.profileDir !== undefined) await mkdir(args.profileDir, { recursive: true })
  const wanted = pick('system', SYSTEMS, args.systems, (system) => system.name)
  const systems = wanted.filter((system) => system.isAvailable())
  for (const system of wanted) if (!systems.includes(system)) process.stderr.write(`${system.name} is not there\n`)
  const facts = await machineFacts(systems)
  const modes: ModeResult[] = []
  for (const mode of args.modes) modes.push(await runMode(args, mode, systems))
  for (const mode of modes) process.stdout.write(`\n${mode.mode}\n\n${modeReport(mode, systems)}\n`)
  if (args.out !== undefined) await writeFile(args.out, fullReport(facts, args.rounds, modes, systems))
}

await main()
