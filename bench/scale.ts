// npm run bench:scale: does atefs stay fast and small with 1,000,000 files and with a 10 GiB file, and what does a source
// tree cost on the disk? Writes bench/scale.md. `--files N` and `--gib N` make a smaller run.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from './lib/command.js'
import { createImage, dropCaches, type Image } from './lib/image.js'
import { Load } from './lib/load.js'
import { machineFacts } from './lib/machine.js'
import { median } from './lib/report.js'
import { installPeers, requireRoot } from './lib/setup.js'
import { Mounted } from './lib/mounted.js'
import { atefsWith } from './lib/systems.js'
import { makeTree } from './lib/tree.js'

const FEW = 1000
const FILE_BYTES = 256
/** As many as the load's directories have. */
const FILES_PER_DIRECTORY = 100
const SAMPLE = 4000
const ROUNDS = 3
const MIB = 2 ** 20
const ATEFS = atefsWith('none')
// Daemon and load share a core: waking the other one costs more than most operations, and differently each time.
const CORE = cpus().length - 1

interface Check {
  readonly what: string
  readonly measured: string
  readonly target: string
  readonly isMet: boolean
}

interface Scale {
  readonly image: Image
  readonly load: Load
  readonly checks: Check[]
}

function check(scale: Scale, what: string, value: number, unit: string, limit: number): void {
  const digits = value < 10 ? 2 : 0
  const entry = {
    what,
    measured: `${value.toFixed(digits)} ${unit}`,
    target: `< ${limit} ${unit}`,
    isMet: value < limit,
  }
  scale.checks.push(entry)
  process.stdout.write(`${what}: ${entry.measured} (${entry.target}) ${entry.isMet ? '' : 'BEHIND'}\n`)
}

async function mount(scale: Scale, chain: string): Promise<{ mounted: Mounted; ms: number }> {
  const parent = join(scale.image.root, chain)
  await mkdir(parent, { recursive: true })
  const start = performance.now()
  const mounted = await Mounted.start(ATEFS, parent, CORE)
  return { mounted, ms: performance.now() - start }
}

/** The most RssAnon the daemon had while `work` ran, in MiB. */
async function peakMemory(mounted: Mounted, work: Promise<unknown>): Promise<number> {
  const state = { peak: 0, isDone: false }
  const finished = work.finally(() => (state.isDone = true))
  while (!state.isDone) {
    state.peak = Math.max(state.peak, await mounted.memoryBytes('RssAnon'))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await finished
  return Math.max(state.peak, await mounted.memoryBytes('RssAnon')) / MIB
}

async function build(scale: Scale, chain: string, files: number): Promise<void> {
  const { mounted } = await mount(scale, chain)
  try {
    const directory = join(mounted.directory, 'files')
    await mkdir(directory)
    const peak = peakMemory(mounted, scale.load.run(directory, 'create', files, FILE_BYTES, 0))
    check(scale, `memory (RssAnon) while making ${files} files`, await peak, 'MiB', 300)
    const sparse = join(mounted.directory, 'sparse')
    await mkdir(sparse)
    await scale.load.run(sparse, 'create', FEW, FILE_BYTES, 0, FILES_PER_DIRECTORY)
  } finally {
    await mounted.stop()
  }
}

async function mountTimes(scale: Scale, chain: string, files: number): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    await dropCaches()
    const { mounted, ms } = await mount(scale, chain)
    await mounted.stop()
    times.push(ms)
  }
  check(scale, `mount of ${files} files, cold, no key derivation`, median(times) / 1000, 's', 2)
}

/** Name -> microseconds per operation, medians. */
async function operations(scale: Scale, chain: string, files: number): Promise<Map<string, number>> {
  const { mounted } = await mount(scale, chain)
  const costs = new Map<string, number[]>()
  const { load } = scale
  const directory = join(mounted.directory, 'files')
  const sampled = Math.min(SAMPLE, files)
  // Each file in another directory, in the small chain too: a walk into the unknown is two requests in both.
  const [random, stride] = files === FEW ? ['sparse', FILES_PER_DIRECTORY] : ['files', 1]
  const spread = join(mounted.directory, random)
  const time = async (name: string, cwd: string, command: string, ...args: number[]): Promise<void> => {
    await load.run(mounted.directory, 'settle', scale.image.root)
    await dropCaches(true)
    const { ns, operations: count } = await load.run(cwd, command, ...args)
    costs.set(name, [...(costs.get(name) ?? []), ns / 1000 / count])
  }
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const work = join(mounted.directory, `work-${round}`)
      await mkdir(work)
      await time('stat, walking', directory, 'stat-sample', files, sampled, 100, round)
      await time('stat, at random', spread, 'stat-sample', files, sampled, 1, round, stride)
      await time('open + read + close, walking', directory, 'read-sample', files, sampled, 100, round)
      await time('open + read + close, at random', spread, 'read-sample', files, sampled, 1, round, stride)
      await time('create', work, 'create', SAMPLE, 4096, 0)
      await time('rename', work, 'rename', SAMPLE / 2, 0)
      await time('mkdir', work, 'mkdir-wide', SAMPLE, 0)
      const doomed = join(work, 'doomed')
      await mkdir(doomed)
      await load.run(doomed, 'create', SAMPLE / 2, 4096, 0)
      await time('unlink', doomed, 'unlink', SAMPLE / 2, 0)
    }
  } finally {
    await mounted.stop()
  }
  return new Map([...costs].map(([name, values]) => [name, median(values)]))
}

async function walks(scale: Scale, chain: string, files: number): Promise<void> {
  const { mounted } = await mount(scale, chain)
  try {
    await dropCaches()
    check(scale, `memory after mounting ${files} files`, (await mounted.memoryBytes('RssAnon')) / MIB, 'MiB', 300)
    const find = scale.load.run(mounted.directory, 'exec', 'find', 'files')
    check(scale, 'memory during a full find', await peakMemory(mounted, find), 'MiB', 300)
    process.stdout.write(`find: ${((await find).ns / 1e9).toFixed(1)} s\n`)
    const ls = scale.load.run(mounted.directory, 'exec', 'ls', '-lR', 'files')
    check(scale, 'memory during a full ls -lR', await peakMemory(mounted, ls), 'MiB', 300)
    process.stdout.write(`ls -lR: ${((await ls).ns / 1e9).toFixed(1)} s\n`)
  } finally {
    await mounted.stop()
  }
}

async function manyFiles(scale: Scale, files: number): Promise<void> {
  await build(scale, 'few', FEW)
  await build(scale, 'many', files)
  await mountTimes(scale, 'many', files)
  await walks(scale, 'many', files)
  const few = await operations(scale, 'few', FEW)
  const many = await operations(scale, 'many', files)
  for (const [name, cost] of many) {
    const before = few.get(name) ?? NaN
    check(
      scale,
      `${name}: ${before.toFixed(1)} us at ${FEW}, ${cost.toFixed(1)} us at ${files} files`,
      cost / before,
      'x',
      1.5,
    )
  }
}

async function bigFile(scale: Scale, gib: number): Promise<void> {
  const { mounted } = await mount(scale, 'big')
  try {
    const write = scale.load.run(mounted.directory, 'sequential-write', 'big', gib * 1024)
    check(scale, `memory while writing a file of ${gib} GiB`, await peakMemory(mounted, write), 'MiB', 300)
    await dropCaches()
    const read = scale.load.run(mounted.directory, 'sequential-read', 'big', 0)
    check(scale, 'memory while reading it', await peakMemory(mounted, read), 'MiB', 300)
    for (const [name, { bytes, ns }] of [
      ['write', await write],
      ['read', await read],
    ] as const) {
      process.stdout.write(`${name} ${((bytes * 1000) / ns).toFixed(0)} MB/s\n`)
    }
  } finally {
    await mounted.stop()
  }
  await run('rm', ['-rf', join(scale.image.root, 'big')])
}

async function diskUse(scale: Scale): Promise<void> {
  const tree = await makeTree(scale.image.scratch)
  const { mounted } = await mount(scale, 'disk')
  try {
    await scale.load.run(mounted.directory, 'exec', 'tar', 'xf', tree.tar)
  } finally {
    await mounted.stop()
  }
  const used = Number((await run('du', ['-sB1', mounted.place.data])).split('\t')[0])
  check(
    scale,
    `disk of the untarred tree (${(tree.apparentBytes / 1e6).toFixed(1)} MB)`,
    used / tree.apparentBytes,
    'x',
    1.3,
  )
}

async function report(checks: readonly Check[]): Promise<string> {
  const facts = await machineFacts([ATEFS])
  const lines = checks.map((c) => `| ${c.what} | ${c.measured} | ${c.target} | ${c.isMet ? 'met' : '**behind**'} |`)
  return [
    '# Scale\n\nWritten by `npm run bench:scale`: daemon and load on one core, on a fresh journaled ext4 image. Operations are timed with the',
    "kernel's dentries and inodes dropped, so that each reaches the daemon, and the pages of the disk kept. Walking: a hundred",
    'neighbours at each place. At random: each file in another directory, which is asked for too.\n',
    ...facts.map((fact) => `- ${fact}`),
    '\n| what | measured | target | |\n| :-- | --: | --: | :-- |',
    ...lines,
    '',
  ].join('\n')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      files: { type: 'string', default: '1000000' },
      gib: { type: 'string', default: '10' },
      only: { type: 'string', default: 'disk,big,many' },
      out: { type: 'string' },
      dir: { type: 'string' },
    },
  })
  const isFull = values.files === '1000000' && values.gib === '10' && values.only === 'disk,big,many'
  const out = values.out ?? (isFull ? 'bench/scale.md' : undefined)
  requireRoot()
  await installPeers()
  const image = await createImage(Number(values.gib) + 6, values.dir)
  try {
    const scale: Scale = { image, load: Load.on(await Load.compile(image.scratch), CORE), checks: [] }
    const parts = values.only.split(',')
    if (parts.includes('disk')) await diskUse(scale)
    if (parts.includes('big')) await bigFile(scale, Number(values.gib))
    if (parts.includes('many')) await manyFiles(scale, Number(values.files))
    if (out !== undefined) await writeFile(out, await report(scale.checks))
  } finally {
    if (existsSync(image.root)) await image.destroy()
  }
}

await main()
