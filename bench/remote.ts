// npm run bench:remote: a chain of a server mounted on this machine, beside a local mount and sshfs, in one run. Options: --help.
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArguments, pick, USAGE, type Arguments, type Mode } from './lib/arguments.js'
import { createImage } from './lib/image.js'
import { Load } from './lib/load.js'
import { machineFacts } from './lib/machine.js'
import { measureRow } from './lib/measure.js'
import { Mounted } from './lib/mounted.js'
import { remoteReport, remoteTable, stalenessLine, type RemoteMode } from './lib/remote-report.js'
import { startRemoteSystems } from './lib/remote-systems.js'
import { rowSummary } from './lib/report.js'
import { measureStaleness, type Staleness } from './lib/staleness.js'
import { requireRoot } from './lib/setup.js'
import { makeTree } from './lib/tree.js'

/** Those in which what others change is pushed. */
const PUSHED_MODES = ['readonly-async', 'async']

async function runMode(args: Arguments, mode: Mode): Promise<RemoteMode> {
  const core = mode === 'pinned' ? args.core : undefined
  const image = await createImage(args.imageGib, args.dir)
  try {
    const servers = await startRemoteSystems(image.root, core, args.profileDir)
    const systems = pick('system', servers.systems, args.systems, (system) => system.name)
    const mounted: Mounted[] = []
    try {
      const load = Load.on(await Load.compile(image.scratch), core)
      const tree = await makeTree(image.scratch)
      for (const system of systems) mounted.push(await Mounted.start(system, image.root, core, args.profileDir))
      const rows: { row: Arguments['rows'][number]; result: Awaited<ReturnType<typeof measureRow>> }[] = []
      for (const row of args.rows) {
        const result = await measureRow({ image: image.root, load, tree, mounted, rounds: args.rounds }, row)
        process.stdout.write(`${mode}: ${rowSummary(row, result)}\n`)
        rows.push({ row, result })
      }
      const staleness: Staleness[] = []
      for (const pushed of PUSHED_MODES)
        staleness.push(await measureStaleness(pushed, servers.pair(pushed), image.root, core))
      for (const each of staleness) process.stdout.write(`${mode}: ${stalenessLine(each)}\n`)
      return {
        mode,
        rows,
        staleness,
        facts: await machineFacts(systems.filter(({ name }) => name === 'atefs' || name === 'sshfs')),
      }
    } finally {
      for (const one of mounted)
        await one.stop().catch((error: unknown) => process.stderr.write(`${String(error)}\n${one.log()}\n`))
      await servers.end()
    }
  } finally {
    await image.destroy()
  }
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(USAGE)
  const args = parseArguments(process.argv.slice(2), cpus().length)
  requireRoot()
  if (args.profileDir !== undefined) await mkdir(args.profileDir, { recursive: true })
  const modes: RemoteMode[] = []
  for (const mode of args.modes) modes.push(await runMode(args, mode))
  for (const mode of modes) process.stdout.write(`\n${mode.mode}\n\n${remoteTable(mode)}\n`)
  const out = args.out === 'bench/results.md' ? 'bench/remote.md' : args.out
  if (out !== undefined) await writeFile(out, remoteReport(args.rounds, modes))
}

await main()
