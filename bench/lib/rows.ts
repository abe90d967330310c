// What is measured: one entry per row of the result tables.
import { mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Load, Sample } from './load.js'
import type { Tree } from './tree.js'

export type Unit = 'us/op' | 'ms' | 'MB/s'

export interface Context {
  /** An empty directory of the system, kept for the whole run. */
  readonly directory: string
  readonly load: Load
  readonly tree: Tree
  readonly round: number
}

export interface Row {
  readonly id: string
  readonly title: string
  readonly unit: Unit
  /** How many times faster than the fastest peer atefs must be when pinned. */
  readonly target: number
  /** Caches are dropped before each run. */
  readonly isCold?: boolean
  /** It changes the file system: the time until all of it is on the disk is reported too. */
  readonly isWrite?: boolean
  /** Systems whose number would mean nothing here, with the reason. */
  readonly excluded?: Readonly<Record<string, string>>
  /** Untimed, once per system. */
  prepare?(context: Context): Promise<void>
  /** Untimed, before each run. */
  before?(context: Context): Promise<void>
  run(context: Context): Promise<Sample>
}

const FILES = 4000
const CAP_MS = 1000
const WARM_MS = 300
const SEQUENTIAL_MIB = 256
const RANDOM_MIB = 64
const SEED = 20240501
// Where every system answers from the kernel's cache, differences are noise: 10 % are allowed.
const KERNEL_CACHE_TARGET = 0.9

async function fresh(context: Context, name: string): Promise<string> {
  const directory = join(context.directory, `${name}-${context.round}`)
  await mkdir(directory)
  return directory
}

function at(context: Context, name: string): string {
  return join(context.directory, `${name}-${context.round}`)
}

async function once(directory: string, fill: (directory: string) => Promise<unknown>): Promise<void> {
  try {
    await mkdir(directory)
  } catch {
    return // an earlier row made it
  }
  try {
    await fill(directory)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

async function manyFiles(context: Context): Promise<void> {
  await once(join(context.directory, 'files'), (d) => context.load.run(d, 'create', FILES, 4096, 0))
}

async function untarred(context: Context): Promise<void> {
  await once(join(context.directory, 'untarred'), (d) => context.load.run(d, 'exec', 'tar', 'xf', context.tree.tar))
}

async function bigFile(context: Context, name: string, mebibytes: number): Promise<void> {
  const directory = join(context.directory, name)
  await once(directory, (d) => context.load.run(d, 'sequential-write', 'big', mebibytes))
}

/** Reads files of the source once so that its own disk reads are not measured. */
async function warmSource(path: string): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  for (const entry of entries) if (entry.isFile()) await readFile(join(entry.parentPath, entry.name))
}

function inFiles(command: string, ...args: number[]) {
  return (context: Context): Promise<Sample> =>
    context.load.run(join(context.directory, 'files'), command, FILES, ...args)
}

function inBig(name: string, command: string, ...args: number[]) {
  return (context: Context): Promise<Sample> => context.load.run(join(context.directory, name), command, 'big', ...args)
}

/** A row whose run consumes files made just before it. */
function consuming(name: string, count: number) {
  return {
    async before(context: Context): Promise<void> {
      await context.load.run(await fresh(context, name), 'create', count, 4096, 0)
    },
    run: (context: Context): Promise<Sample> => context.load.run(at(context, name), name, count, CAP_MS),
  }
}

/** A row that makes something in a fresh directory. */
function making(name: string, run: (directory: string, context: Context) => Promise<Sample>) {
  return { run: async (context: Context): Promise<Sample> => run(await fresh(context, name), context) }
}

export const ROWS: readonly Row[] = [
  {
    id: 'create',
    title: 'create + write 4 KiB + close',
    unit: 'us/op',
    target: 1.2,
    isWrite: true,
    ...making('create', (d, { load }) => load.run(d, 'create', 20_000, 4096, CAP_MS)),
  },
  {
    id: 'stat-cold',
    title: 'stat, cold',
    unit: 'us/op',
    target: 1,
    isCold: true,
    prepare: manyFiles,
    run: inFiles('stat', 0, 0),
  },
  {
    id: 'stat-warm',
    title: 'stat, warm',
    unit: 'us/op',
    target: KERNEL_CACHE_TARGET,
    prepare: manyFiles,
    run: inFiles('stat', WARM_MS, 0),
  },
  {
    id: 'stat-later',
    title: 'stat, 2 s after the last',
    unit: 'us/op',
    target: KERNEL_CACHE_TARGET,
    prepare: manyFiles,
    run: inFiles('stat', 1, 2000),
  },
  {
    id: 'read-cold',
    title: 'open + read 4 KiB + close, cold',
    unit: 'us/op',
    target: 1,
    isCold: true,
    prepare: manyFiles,
    run: inFiles('read', 0, 0),
  },
  {
    id: 'read-warm',
    title: 'open + read 4 KiB + close, warm',
    unit: 'us/op',
    target: 2,
    prepare: manyFiles,
    run: inFiles('read', WARM_MS, 0),
  },
  { id: 'rename', title: 'rename', unit: 'us/op', target: 1, isWrite: true, ...consuming('rename', 4000) },
  {
    id: 'unlink',
    title: 'unlink of 4 KiB files',
    unit: 'us/op',
    target: 1,
    isWrite: true,
    ...consuming('unlink', 4000),
  },
  {
    id: 'mkdir-wide',
    title: 'mkdir, all in one directory',
    unit: 'us/op',
    target: 1,
    isWrite: true,
    ...making('mkdir-wide', (d, { load }) => load.run(d, 'mkdir-wide', 10_000, CAP_MS)),
  },
  {
    id: 'mkdir-deep',
    title: 'mkdir, chains 50 deep',
    unit: 'us/op',
    target: 1,
    isWrite: true,
    ...making('mkdir-deep', (d, { load }) => load.run(d, 'mkdir-deep', 10_000, 50, CAP_MS)),
  },
  {
    id: 'untar',
    title: 'untar of 5,000 files',
    unit: 'ms',
    target: 1.2,
    isWrite: true,
    before: async ({ tree }) => {
      await readFile(tree.tar)
    },
    ...making('untar', (d, { load, tree }) => load.run(d, 'exec', 'tar', 'xf', tree.tar)),
  },
  {
    id: 'ls-cold',
    title: 'ls -lR of them, cold',
    unit: 'ms',
    target: 1,
    isCold: true,
    prepare: untarred,
    run: ({ load, directory }) => load.run(directory, 'exec', 'ls', '-lR', 'untarred'),
  },
  {
    id: 'ls-warm',
    title: 'ls -lR of them, warm',
    unit: 'ms',
    target: 1,
    prepare: untarred,
    before: async ({ load, directory }) => {
      await load.run(directory, 'exec', 'ls', '-lR', 'untarred')
    },
    run: ({ load, directory }) => load.run(directory, 'exec', 'ls', '-lR', 'untarred'),
  },
  {
    id: 'rm',
    title: 'rm -r of them',
    unit: 'ms',
    target: 1,
    isWrite: true,
    before: async (context) => {
      await context.load.run(await fresh(context, 'rm'), 'exec', 'tar', 'xf', context.tree.tar)
    },
    run: (context) => context.load.run(context.directory, 'exec', 'rm', '-r', at(context, 'rm')),
  },
  {
    id: 'git-clone',
    title: 'git clone of 2,000 files',
    unit: 'ms',
    target: 1.2,
    isWrite: true,
    before: ({ tree }) => warmSource(join(tree.repository, '.git')),
    ...making('git-clone', (d, { load, tree }) => load.run(d, 'exec', 'git', 'clone', '-q', tree.repository, 'clone')),
  },
  {
    id: 'seq-write',
    title: 'sequential write of 256 MiB + fsync',
    unit: 'MB/s',
    target: 1,
    isWrite: true,
    excluded: { cryfs: 'its fsync does not reach the disk' },
    before: async ({ directory }) => rm(join(directory, 'written'), { force: true }),
    run: ({ load, directory }) => load.run(directory, 'sequential-write', 'written', SEQUENTIAL_MIB),
  },
  {
    id: 'seq-read-cold',
    title: 'sequential read, cold',
    unit: 'MB/s',
    target: 1,
    isCold: true,
    prepare: (context) => bigFile(context, 'sequential', SEQUENTIAL_MIB),
    run: inBig('sequential', 'sequential-read', 0),
  },
  {
    id: 'seq-read-warm',
    title: 'sequential read, warm',
    unit: 'MB/s',
    target: 2,
    prepare: (context) => bigFile(context, 'sequential', SEQUENTIAL_MIB),
    run: inBig('sequential', 'sequential-read', 1),
  },
  {
    id: 'random-write',
    title: 'random write 4 KiB, no fsync',
    unit: 'us/op',
    target: 2,
    isWrite: true,
    prepare: (context) => bigFile(context, 'random', RANDOM_MIB),
    run: inBig('random', 'random-write', 0, 8192, SEED, CAP_MS),
  },
  {
    id: 'random-write-sync',
    title: 'random write 4 KiB x 4,096, one fsync at the end',
    unit: 'us/op',
    target: 2,
    isWrite: true,
    excluded: { cryfs: 'its fsync does not reach the disk' },
    prepare: (context) => bigFile(context, 'random', RANDOM_MIB),
    run: inBig('random', 'random-write', 1, 4096, SEED + 1, 0),
  },
  {
    id: 'random-read-cold',
    title: 'random read 4 KiB, cold',
    unit: 'us/op',
    target: 1,
    isCold: true,
    prepare: (context) => bigFile(context, 'random', RANDOM_MIB),
    run: inBig('random', 'random-read', 4096, SEED + 2, CAP_MS),
  },
  {
    id: 'random-read-warm',
    title: 'random read 4 KiB, warm',
    unit: 'us/op',
    target: 1,
    prepare: (context) => bigFile(context, 'random', RANDOM_MIB),
    before: async (context) => {
      await inBig('random', 'sequential-read', 0)(context)
    },
    run: inBig('random', 'random-read', 8192, SEED + 3, CAP_MS),
  },
  {
    id: 'append-fsync',
    title: 'append 512 bytes + fsync',
    unit: 'us/op',
    target: 1,
    isWrite: true,
    excluded: { cryfs: 'its fsync does not reach the disk' },
    run: ({ load, directory }) => load.run(directory, 'append', 'appended', 500, 512, CAP_MS),
  },
]
