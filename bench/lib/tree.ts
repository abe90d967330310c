// A source-like tree, the same bytes on every machine: 5,000 files in nested directories, sizes log-normal with a median
// of 3.5 KB and a mean of about 7 KB (what source repositories have), text that compresses like code.
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.js'

export const TREE_FILES = 5000
const CLONE_FILES = 2000
const MEDIAN_BYTES = 3500
const SIGMA = 1.2
const MAX_BYTES = 256 << 10
const EPOCH_S = 1_600_000_000

export interface Tree {
  readonly tar: string
  readonly repository: string
  /** Sum of the file sizes, in bytes. */
  readonly apparentBytes: number
}

/** Writes the tree as a tar archive and, its first part, as a git repository, both below `scratch`. */
export async function makeTree(scratch: string): Promise<Tree> {
  const root = join(scratch, 'tree')
  const repository = join(scratch, 'repository')
  const tar = join(scratch, 'tree.tar')
  const apparentBytes = await writeFiles(root, TREE_FILES)
  await writeFiles(repository, CLONE_FILES)
  await run('tar', ['--sort=name', '--owner=0', '--group=0', '-cf', tar, '-C', scratch, 'tree'])
  await run('rm', ['-r', root])
  const git = ['-C', repository, '-c', 'user.name=bench', '-c', 'user.email=bench@example.org', '-c', 'gc.auto=0']
  await run('git', ['init', '-q', repository])
  await run('git', [...git, 'add', '-A'])
  await run('git', [...git, 'commit', '-q', '-m', 'tree'])
  await run('git', [...git, 'gc', '-q'])
  return { tar, repository, apparentBytes }
}

async function writeFiles(root: string, count: number): Promise<number> {
  const random = generator(20240501)
  const vocabulary = Array.from({ length: 600 }, () => word(random))
  let directory = root
  let total = 0
  for (let i = 0; i < count; i++) {
    // About 10 files a directory, up to 5 deep.
    if (i % 10 === 0) directory = join(root, ...path(random))
    await mkdir(directory, { recursive: true })
    const name = join(directory, `${word(random)}-${i}.${['c', 'h', 'ts', 'md'][Math.floor(random() * 4)] ?? 'c'}`)
    const text = source(random, vocabulary, fileBytes(random))
    await writeFile(name, text, { mode: random() < 0.03 ? 0o755 : 0o644 })
    await utimes(name, EPOCH_S + i, EPOCH_S + i)
    total += text.length
  }
  return total
}

function path(random: () => number): string[] {
  return Array.from({ length: 1 + Math.floor(random() * 5) }, () => `module-${Math.floor(random() * 12)}`)
}

function fileBytes(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.min(MAX_BYTES, Math.round(MEDIAN_BYTES * Math.exp(SIGMA * normal)))
}

function source(random: () => number, vocabulary: readonly string[], bytes: number): string {
  const lines: string[] = []
  for (let length = 0; length < bytes;) {
    const words = Array.from(
      { length: 3 + Math.floor(random() * 8) },
      () => vocabulary[Math.floor(random() * 600)] ?? '',
    )
    const line = `${'  '.repeat(Math.floor(random() * 4))}${words.join(' ')};\n`
    lines.push(line)
    length += line.length
  }
  return lines.join('').slice(0, bytes)
}

function word(random: () => number): string {
  return Array.from({ length: 3 + Math.floor(random() * 8) }, () =>
    String.fromCharCode(97 + Math.floor(random() * 26)),
  ).join('')
}

/** Mulberry32: a small generator with the same sequence everywhere. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
