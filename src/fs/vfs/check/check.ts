/**
 * Checks a file system against itself: every entry names an inode, every inode is named as often as it says, directories
 * form one tree, content can be read. Finds what the log's own verification cannot: records that are whole and wrong.
 */
import type { RecordView } from '../../../engine/chain/record-view.js'
import { sipHash53 } from '../../../engine/crypto/siphash.js'
import { InodeCheck, type InodeFault } from './check-inode.js'
import { lowOf, type NameHash } from '../directories/directory-entries.js'
import type { Entry } from '../records/entry-record.js'
import { decodeInode } from '../records/inode-record.js'
import { bucketOf } from '../inodes/inode-store.js'
import { decodeNumbers, type NumbersState } from '../inodes/inode-numbers.js'
import { NodeTable, type Node } from './check-nodes.js'
import { entryType } from '../inodes/modes.js'
import { entriesOf, PathFinder } from './paths.js'
import { KIND_INODE, KIND_ORPHAN, KIND_STATE, MAX_LOW, STATE_NUMBERS } from '../records/record-kinds.js'
import { ROOT_INO, type Ino } from '../types.js'

/** False for a chain that nobody has mounted: programs keep objects in it, or nothing. */
export function holdsFileSystem(view: RecordView): boolean {
  const isKnown = view.get(KIND_STATE, 0, STATE_NUMBERS) !== undefined
  return isKnown || view.get(KIND_INODE, bucketOf(ROOT_INO), ROOT_INO) !== undefined
}

export type FileSystemFindingKind = 'state' | 'inode' | 'entry' | 'links' | 'parent' | 'orphan' | InodeFault['kind']

export interface FileSystemFinding {
  kind: FileSystemFindingKind
  /** What is wrong, one sentence. */
  message: string
  ino: Ino
  /** Escaped text; undefined when the inode has no path or it cannot be found. */
  path: string | undefined
  /** The body that a finding of kind `body` is about. */
  body?: number | undefined
}

export interface CheckOptions {
  view: RecordView
  /** As the file system was made with. */
  nameKey: Uint8Array
  hashName?: NameHash
  /** Called now and then with inode numbers looked at and their end. */
  onProgress?: (done: number, total: number) => void
}

const PAGE = 512

/** Yields every finding; none for a whole file system. Memory: about 100 bytes an inode. */
export async function* checkFileSystem(options: CheckOptions): AsyncGenerator<FileSystemFinding> {
  yield* new Check(options).run()
}

class Check {
  readonly #view: RecordView
  readonly #hash: NameHash
  readonly #onProgress: (done: number, total: number) => void
  readonly #nodes = new NodeTable()
  readonly #paths: PathFinder
  /** Faults of inodes whose path shows when their entry is met. */
  readonly #waiting = new Map<Ino, Omit<FileSystemFinding, 'path'>[]>()

  constructor({ view, nameKey, hashName, onProgress }: CheckOptions) {
    this.#view = view
    this.#hash = hashName ?? ((name) => sipHash53(nameKey, name))
    this.#onProgress = onProgress ?? (() => undefined)
    this.#paths = new PathFinder(view)
  }

  async *run(): AsyncGenerator<FileSystemFinding> {
    const state = this.#readState()
    if (state === undefined) {
      yield { kind: 'state', message: 'The record of inode numbers is missing or damaged.', ino: 0, path: undefined }
      return
    }
    await this.#readInodes(state)
    for (const node of this.#nodes.directories()) yield* this.#checkDirectory(node)
    for (const findings of this.#waiting.values()) for (const finding of findings) yield this.#located(finding)
    yield* this.#checkOrphans()
    for (const node of this.#nodes.all()) yield* this.#checkLinks(node)
    const count = this.#nodes.count
    if (count !== state.inodes) {
      const message = `There are ${count} inodes, the count says ${state.inodes}.`
      yield { kind: 'state', message, ino: 0, path: undefined }
    }
  }

  #readState(): NumbersState | undefined {
    try {
      const record = this.#view.get(KIND_STATE, 0, STATE_NUMBERS)
      return record === undefined ? undefined : decodeNumbers(record)
    } catch {
      return undefined
    }
  }

  /** Looks at every inode on its own. */
  async #readInodes({ reserved }: NumbersState): Promise<void> {
    const check = new InodeCheck(this.#view, this.#hash)
    const buckets = bucketOf(reserved)
    for (let bucket = 0; bucket <= buckets; bucket++) {
      this.#onProgress(bucket, buckets + 1)
      for (const { low: ino, value } of this.#view.range(KIND_INODE, bucket, 0, MAX_LOW, PAGE)) {
        if (bucketOf(ino) !== bucket || ino >= reserved || ino === 0) {
          this.#note('inode', ino, 'The inode number was never given out.')
          continue
        }
        try {
          const inode = decodeInode(ino, value)
          this.#nodes.add(inode)
          for (const { kind, message, body } of await check.faults(inode)) this.#note(kind, ino, message, body)
        } catch {
          this.#nodes.addDamaged(ino)
          this.#note('inode', ino, 'The record of the inode is damaged.')
        }
      }
    }
    if (this.#nodes.find(ROOT_INO) === undefined) this.#note('inode', ROOT_INO, 'There is no root directory.')
  }

  *#checkDirectory(directory: Node): Generator<FileSystemFinding> {
    let count = 0
    let subdirectories = 0
    for (const { low, entries } of entriesOf(this.#view, directory.ino)) {
      if (entries === undefined) {
        yield this.#located({ kind: 'entry', message: 'The record of an entry is damaged.', ino: directory.ino })
        continue
      }
      for (const entry of entries) {
        count++
        if (lowOf(this.#hash(entry.name)) !== low) {
          yield this.#atEntry(directory, entry, 'entry', 'The entry is out of place and cannot be looked up.')
        }
        const node = this.#nodes.find(entry.ino)
        if (node?.isDirectory === true) subdirectories++
        yield* this.#checkEntry(directory, entry, node)
      }
    }
    const { ino } = directory
    if (count !== directory.size) {
      yield this.#located({ kind: 'links', message: `It has ${count} entries and says ${directory.size}.`, ino })
    }
    if (directory.nlink !== 0 && directory.nlink !== subdirectories + 2) {
      const message = `It has ${subdirectories} directories and a link count of ${directory.nlink}.`
      yield this.#located({ kind: 'links', message, ino })
    }
  }

  *#checkEntry(directory: Node, entry: Entry, node: Node | undefined): Generator<FileSystemFinding> {
    const waiting = this.#waiting.get(entry.ino)
    if (waiting !== undefined) {
      this.#waiting.delete(entry.ino)
      const path = this.#paths.entryPath(directory.ino, entry.name)
      for (const finding of waiting) yield { ...finding, path }
    }
    if (node === undefined) {
      yield this.#atEntry(directory, entry, 'entry', 'The entry names an inode that does not exist.')
      return
    }
    this.#nodes.addName(node)
    if (node.isDamaged) return
    if (entryType(node.mode) !== entry.type) {
      yield this.#atEntry(directory, entry, 'entry', 'The entry and its inode are of different types.')
    }
    if (node.isDirectory && node.parent !== directory.ino) {
      yield this.#atEntry(directory, entry, 'parent', 'The directory says it is in another one.')
    }
  }

  *#checkOrphans(): Generator<FileSystemFinding> {
    for (let from = 0; ;) {
      const items = this.#view.range(KIND_ORPHAN, 0, from, MAX_LOW, PAGE)
      for (const { low: ino } of items) {
        const node = this.#nodes.find(ino)
        if (node === undefined) yield this.#located({ kind: 'orphan', message: 'A removed file does not exist.', ino })
        else this.#nodes.markOrphan(node)
      }
      const last = items[PAGE - 1]
      if (last === undefined) return
      from = last.low + 1
    }
  }

  *#checkLinks(node: Node): Generator<FileSystemFinding> {
    const { ino, names, nlink, isDamaged, isOrphan, isDirectory } = node
    if (isDamaged) return
    if (ino !== ROOT_INO && names === 0 && !isOrphan) {
      yield this.#located({ kind: 'links', message: 'The inode has no name.', ino })
    } else if (isDirectory && ino !== ROOT_INO && !isOrphan) {
      if (names > 1) yield this.#located({ kind: 'links', message: `The directory has ${names} names.`, ino })
      if (!this.#nodes.isBelowRoot(node)) {
        yield this.#located({ kind: 'parent', message: 'The directory cannot be reached from the root.', ino })
      }
    } else if (!isDirectory && names !== nlink) {
      yield this.#located({ kind: 'links', message: `The file has ${names} names and a link count of ${nlink}.`, ino })
    }
  }

  #note(kind: FileSystemFindingKind, ino: Ino, message: string, body?: number): void {
    const known = this.#waiting.get(ino)
    if (known === undefined) this.#waiting.set(ino, [{ kind, ino, message, body }])
    else known.push({ kind, ino, message, body })
  }

  #located(finding: Omit<FileSystemFinding, 'path'>): FileSystemFinding {
    return { ...finding, path: this.#paths.pathOf(finding.ino) }
  }

  #atEntry(directory: Node, entry: Entry, kind: FileSystemFindingKind, message: string): FileSystemFinding {
    return { kind, message, ino: entry.ino, path: this.#paths.entryPath(directory.ino, entry.name) }
  }
}
