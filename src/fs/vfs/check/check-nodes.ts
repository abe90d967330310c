/** What the check knows of every inode: columns of numbers instead of a million objects. */
import type { Inode } from '../inodes/inode.js'
import { S_IFDIR, S_IFMT } from '../inodes/modes.js'
import { ROOT_INO, type Ino } from '../types.js'

const DAMAGED = 1
const ORPHAN = 2
const BELOW_ROOT = 4

/** One row, as a copy. */
export interface Node {
  row: number
  ino: Ino
  mode: number
  nlink: number
  parent: Ino
  size: number
  /** Entries that name it. */
  names: number
  isDirectory: boolean
  isDamaged: boolean
  isOrphan: boolean
}

export class NodeTable {
  readonly #rows = new Map<Ino, number>()
  readonly #inos: number[] = []
  readonly #modes: number[] = []
  readonly #nlinks: number[] = []
  readonly #parents: number[] = []
  readonly #sizes: number[] = []
  readonly #names: number[] = []
  readonly #flags: number[] = []

  get count(): number {
    return this.#inos.length
  }

  add({ ino, mode, nlink, parent, size }: Pick<Inode, 'ino' | 'mode' | 'nlink' | 'parent' | 'size'>): void {
    this.#rows.set(ino, this.#inos.length)
    this.#inos.push(ino)
    this.#modes.push(mode)
    this.#nlinks.push(nlink)
    this.#parents.push(parent)
    this.#sizes.push(size)
    this.#names.push(0)
    this.#flags.push(0)
  }

  addDamaged(ino: Ino): void {
    this.add({ ino, mode: 0, nlink: 0, parent: 0, size: 0 })
    this.#setFlag(this.#inos.length - 1, DAMAGED)
  }

  find(ino: Ino): Node | undefined {
    const row = this.#rows.get(ino)
    return row === undefined ? undefined : this.#at(row)
  }

  addName({ row }: Node): void {
    this.#names[row] = (this.#names[row] ?? 0) + 1
  }

  markOrphan({ row }: Node): void {
    this.#setFlag(row, ORPHAN)
  }

  *all(): Generator<Node> {
    for (let row = 0; row < this.#inos.length; row++) yield this.#at(row)
  }

  *directories(): Generator<Node> {
    for (const node of this.all()) if (node.isDirectory) yield node
  }

  /** Follows the parents. What was found once to lead to the root is remembered. */
  isBelowRoot(node: Node): boolean {
    const walked: number[] = []
    let at: number | undefined = node.row
    for (; at !== undefined && walked.length <= this.count; at = this.#rows.get(this.#parents[at] ?? 0)) {
      if (this.#inos[at] === ROOT_INO || ((this.#flags[at] ?? 0) & BELOW_ROOT) !== 0) {
        for (const row of walked) this.#setFlag(row, BELOW_ROOT)
        return true
      }
      walked.push(at)
    }
    return false
  }

  #setFlag(row: number, flag: number): void {
    this.#flags[row] = (this.#flags[row] ?? 0) | flag
  }

  #at(row: number): Node {
    const mode = this.#modes[row] ?? 0
    const flags = this.#flags[row] ?? 0
    return {
      row,
      ino: this.#inos[row] ?? 0,
      mode,
      nlink: this.#nlinks[row] ?? 0,
      parent: this.#parents[row] ?? 0,
      size: this.#sizes[row] ?? 0,
      names: this.#names[row] ?? 0,
      isDirectory: (mode & S_IFMT) === S_IFDIR,
      isDamaged: (flags & DAMAGED) !== 0,
      isOrphan: (flags & ORPHAN) !== 0,
    }
  }
}
