/** Where directories of the state that was set aside are here: found, moved as they were there, or made. Never in a circle. */
import { entryType, S_IFDIR } from '../inodes/modes.js'
import type { Links } from '../links.js'
import type { FileSystemState } from '../state.js'
import { ROOT_INO, type Caller, type Ino, type Name } from '../types.js'
import type { MadeInodes } from './made-inodes.js'
import type { MergedNames } from './merged-names.js'
import { inodeIn, livingIn, nameIn } from './records.js'
import type { NamedInode, Tail, TailChanges } from './tail.js'

const DIRECTORY_TYPE = entryType(S_IFDIR)
const NOBODY: Caller = { uid: 0, gid: 0, pid: 0 }

export interface DirectoryParts {
  readonly state: FileSystemState
  readonly links: Links
  readonly tail: Tail
  readonly made: MadeInodes
  readonly names: MergedNames
}

export class MergedDirectories {
  readonly #parts: DirectoryParts
  readonly #places = new Map<Ino, Ino>([[ROOT_INO, ROOT_INO]])
  /** Those on their way: where each was, and what it is called in the root meanwhile. */
  readonly #moving = new Map<Ino, { from: NamedInode; name: Name }>()

  constructor(parts: DirectoryParts) {
    this.#parts = parts
  }

  /** Takes out what was moved there and lies here where it lay then. */
  takeOut({ added, removed }: TailChanges): void {
    const { links, tail } = this.#parts
    const wanted = new Set(added.map(({ ino }) => ino))
    for (const from of removed) {
      if (!wanted.has(from.ino) || !this.#isHere(from)) continue
      const name = this.#parts.names.free(ROOT_INO, `.merging-${from.ino}` as Name)
      links.rename(from.parent, from.name, ROOT_INO, name, 0, NOBODY)
      this.#moving.set(from.ino, { from, name })
    }
    this.#removeEmpty(removed.filter(({ ino }) => livingIn(tail.mine, ino) === undefined))
  }

  /** Puts in their places those on their way that nothing was put into. */
  putBack(): void {
    for (const ino of [...this.#moving.keys()]) this.place(ino)
  }

  /** The directory here that stands for that one: one that can take entries. */
  place(ino: Ino): Ino {
    const wanted = new Set<Ino>()
    for (let at: Ino | undefined = ino; at !== undefined && !this.#places.has(at); at = this.#needed(at)) {
      // In a circle, which only damaged records have.
      if (wanted.has(at)) this.#places.set(at, ROOT_INO)
      wanted.add(at)
    }
    // From the top: a tree may be deeper than calls may be.
    for (const each of [...wanted].reverse()) this.#places.set(each, this.#settle(each))
    return this.#places.get(ino) ?? ROOT_INO
  }

  /** What must be in its place before that one. */
  #needed(ino: Ino): Ino | undefined {
    const { tail } = this.#parts
    const isHere = inodeIn(tail.base, ino) !== undefined && this.#isLiving(ino)
    return isHere && !this.#moving.has(ino) ? undefined : inodeIn(tail.mine, ino)?.parent
  }

  #settle(ino: Ino): Ino {
    const { state, tail } = this.#parts
    const isOld = inodeIn(tail.base, ino) !== undefined
    if (isOld && this.#isLiving(ino)) {
      const moving = this.#moving.get(ino)
      if (moving !== undefined) this.#move(ino, moving)
      return ino
    }
    const model = inodeIn(tail.mine, ino)
    if (model === undefined) return ROOT_INO
    const parent = this.place(model.parent)
    const name = nameIn(tail.mine, model.parent, ino) ?? (`directory ${ino}` as Name)
    const there = state.entries.find(parent, name)
    if (there?.type === DIRECTORY_TYPE) return there.ino
    return this.#make(ino, parent, this.#parts.names.free(parent, name))
  }

  #make(ino: Ino, parent: Ino, name: Name): Ino {
    const { state, tail, made, names } = this.#parts
    const model = inodeIn(tail.mine, ino)
    if (model === undefined) return ROOT_INO
    const directory = state.livingDirectory(parent)
    const inode = made.makeAs(model)
    state.entries.insert(parent, name, inode.ino, DIRECTORY_TYPE)
    inode.nlink = 2
    inode.parent = parent
    directory.nlink++
    state.changeDirectory(directory, 1)
    names.note(parent, name)
    return inode.ino
  }

  #move(ino: Ino, { from, name: temporary }: { from: NamedInode; name: Name }): void {
    const { links, tail, names } = this.#parts
    this.#moving.delete(ino)
    const model = inodeIn(tail.mine, ino)
    const wanted = model && nameIn(tail.mine, model.parent, ino)
    let [parent, name] = [from.parent, from.name]
    if (model !== undefined && wanted !== undefined) {
      const place = this.place(model.parent)
      if (!this.#isWithin(place, ino)) [parent, name] = [place, wanted]
    }
    if (!this.#isLiving(parent) || this.#isWithin(parent, ino)) parent = ROOT_INO
    const free = names.free(parent, name)
    links.rename(ROOT_INO, temporary, parent, free, 0, NOBODY)
    names.note(parent, free)
  }

  /** Directories that were removed there, and are empty here. */
  #removeEmpty(removed: readonly NamedInode[]): void {
    const { state, links } = this.#parts
    for (let left = removed.filter((entry) => this.#isHere(entry)); ;) {
      const empty = left.filter(({ ino }) => state.entries.isEmpty(ino))
      if (empty.length === 0) return
      for (const { parent, name } of empty) links.removeDirectory(parent, name)
      left = left.filter((entry) => !empty.includes(entry))
    }
  }

  #isHere({ parent, name, ino }: NamedInode): boolean {
    const entry = this.#parts.state.entries.find(parent, name)
    return entry?.ino === ino && entry.type === DIRECTORY_TYPE
  }

  #isLiving(ino: Ino): boolean {
    const inode = this.#parts.state.inodes.find(ino)
    return inode?.isDirectory === true && inode.nlink > 0
  }

  #isWithin(place: Ino, ino: Ino): boolean {
    const { inodes, numbers } = this.#parts.state
    let left = numbers.inodes + 2
    for (let at = place; at !== ROOT_INO && left-- > 0; at = inodes.get(at).parent) if (at === ino) return true
    return false
  }
}
