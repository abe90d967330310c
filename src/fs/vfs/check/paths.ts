/** From inode numbers back to paths, for messages: the file system itself never needs one. */
import type { RecordView } from '../../../engine/chain/record-view.js'
import { decodeEntries, type Entry } from '../records/entry-record.js'
import { escapeName } from './escape-name.js'
import { decodeInode } from '../records/inode-record.js'
import { bucketOf } from '../inodes/inode-store.js'
import { KIND_ENTRY, KIND_INODE, MAX_LOW } from '../records/record-kinds.js'
import { ROOT_INO, type Ino } from '../types.js'

const PAGE = 1024
/** PATH_MAX / 2: no path that a program can name is deeper. */
const MAX_DEPTH = 2048

/** All entries of a directory with the place of their record. A record that does not parse comes with `entries` undefined. */
export function* entriesOf(
  view: RecordView,
  directory: Ino,
): Generator<{ low: number; entries: readonly Entry[] | undefined }> {
  for (let from = 0; ;) {
    const items = view.range(KIND_ENTRY, directory, from, MAX_LOW, PAGE)
    for (const { low, value } of items) {
      let entries: readonly Entry[] | undefined
      try {
        entries = decodeEntries(value)
      } catch {
        entries = undefined
      }
      yield { low, entries }
    }
    const last = items[PAGE - 1]
    if (last === undefined) return
    from = last.low + 1
  }
}

export class PathFinder {
  readonly #view: RecordView
  readonly #directories = new Map<Ino, string>([[ROOT_INO, '/']])

  constructor(view: RecordView) {
    this.#view = view
  }

  /**
   * An escaped path of the inode from the root, or undefined when none can be found: the records on the way are damaged,
   * or a file's last name was in another directory than the one it remembers.
   */
  pathOf(ino: Ino): string | undefined {
    const steps: { ino: Ino; name: string }[] = []
    let at = ino
    while (!this.#directories.has(at)) {
      const parent = this.#parentOf(at)
      const name = parent === undefined ? undefined : this.#nameIn(parent, at)
      if (parent === undefined || name === undefined || steps.length > MAX_DEPTH) return undefined
      steps.push({ ino: at, name })
      at = parent
    }
    let path = this.#directories.get(at) ?? '/'
    steps.reverse().forEach((step, index) => {
      path = joined(path, step.name)
      if (index < steps.length - 1) this.#directories.set(step.ino, path)
    })
    return path
  }

  /** The path of an entry of a directory. */
  entryPath(directory: Ino, name: string): string | undefined {
    const path = this.pathOf(directory)
    if (path === undefined) return undefined
    this.#directories.set(directory, path)
    return joined(path, name)
  }

  #parentOf(ino: Ino): Ino | undefined {
    try {
      const record = this.#view.get(KIND_INODE, bucketOf(ino), ino)
      return record === undefined ? undefined : decodeInode(ino, record).parent
    } catch {
      return undefined
    }
  }

  #nameIn(directory: Ino, ino: Ino): string | undefined {
    for (const { entries } of entriesOf(this.#view, directory)) {
      const found = entries?.find((entry) => entry.ino === ino)
      if (found !== undefined) return found.name
    }
    return undefined
  }
}

function joined(directory: string, name: string): string {
  return `${directory === '/' ? '' : directory}/${escapeName(name)}`
}
