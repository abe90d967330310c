// npm run bench:scale: does atefs stay fast and small with 1,000,000 files and with a 10 GiB file, and what does a source
// tree cost on the disk? Writes bench/scale.md. `--files N` and `--gib N` make a smaller run.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from './lib/command.js'
import { createImage, dropCaches, type Image, readFiles } from './lib/image.js'
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
const RANDOM = [
  ['stat, at random', 'stat-sample'],
  ['open + read + close, at random', 'read-sample'],
] as const
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
    target: `< ${Number(limit.toFixed(2))} ${unit}`,
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
  await readFiles(mounted.place.data)
  const time = async (name: string, cwd: string, command: string, ...args: number[]): Promise<void> => {
    costs.set(name, [...(costs.get(name) ?? []), await timed(scale, mounted.directory, cwd, command, ...args)])
  }
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const work = join(mounted.directory, `work-${round}`)
      await mkdir(work)
      await time('stat, walking', directory, 'stat-sample', files, sampled, 100, round)
      await time('open + read + close, walking', directory, 'read-sample', files, sampled, 100, round)
      for (const [name, command] of RANDOM) await time(name, spread, command, files, sampled, 1, round, stride)
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

/** What the rows at random cost on the image's own ext4: name -> how many times as much among `files` as among few. */
async function randomOnExt4(scale: Scale, files: number): Promise<Map<string, number>> {
  const few = join(scale.image.root, 'ext4-few')
  const many = join(scale.image.root, 'ext4-many')
  await mkdir(few)
  await mkdir(many)
  await scale.load.run(few, 'create', FEW, FILE_BYTES, 0, FILES_PER_DIRECTORY)
  await scale.load.run(many, 'create', files, FILE_BYTES, 0)
  const ratios = new Map<string, number>()
  for (const [name, command] of RANDOM) {
    const costs: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      costs[0].push(await timed(scale, few, few, command, FEW, FEW, 1, round, FILES_PER_DIRECTORY))
      costs[1].push(await timed(scale, many, many, command, files, Math.min(SAMPLE, files), 1, round, 1))
    }
    ratios.set(name, median(costs[1]) / median(costs[0]))
  }
  await run('rm', ['-rf', few, many])
  return ratios
}

/** Microseconds per operation of `command` in `cwd`, when everything before is durable and only the disk's pages are cached. */
async function timed(scale: Scale, top: string, cwd: string, command: string, ...args: number[]): Promise<number> {
  await scale.load.run(top, 'settle', scale.image.root)
  await dropCaches(true)
  const { ns, operations } = await scale.load.run(cwd, command, ...args)
  return ns / 1000 / operations
}

async function manyFiles(scale: Scale, files: number): Promise<void> {
  await build(scale, 'few', FEW)
  await build(scale, 'many', files)
  await mountTimes(scale, 'many', files)
  await walks(scale, 'many', files)
  const few = await operations(scale, 'few', FEW)
  const many = await operations(scale, 'many', files)
  const ext4 = await randomOnExt4(scale, files)
  for (const [name, cost] of many) {
    const before = few.get(name) ?? NaN
    const its = ext4.get(name)
    const what = `${name}: ${before.toFixed(1)} us at ${FEW}, ${cost.toFixed(1)} us at ${files} files`
    check(
      scale,
      its === undefined ? what : `${what} (ext4: ${its.toFixed(2)} x)`,
      cost / before,
      'x',
      Math.max(1.5, its ?? 0),
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
    "kernel's dentries and inodes dropped, so that each reaches the daemon, and all pages of the disk in memory, as those are that",
    'ext4 has written: the files of the chain are read once before. Walking: a hundred neighbours at each place. At random: each',
    'file in another directory, which is asked for too. What nobody has touched costs more in any file system that is larger than',
    'the caches of a processor: there the limit is what ext4 has on the same image.\n',
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
