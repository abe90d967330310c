/** Names, contents and attributes of everything that is no directory, in the order in which nothing is lost on the way. */
import { isAteError } from '../../../engine/error.js'
import type { Inode } from '../inodes/inode.js'
import { entryType, S_IFDIR } from '../inodes/modes.js'
import type { Links } from '../links.js'
import { type Ino, type Name, ROOT_INO } from '../types.js'
import { areAttributesChanged, changedXattrs, isContentChanged, type Version } from './compare.js'
import type { DirectoryParts, MergedDirectories } from './merged-directories.js'
import type { PreparedContents } from './prepared-contents.js'
import { inodeIn, livingIn, nameIn } from './records.js'
import type { NamedInode, TailChanges } from './tail.js'

const DIRECTORY_TYPE = entryType(S_IFDIR)

export interface FileParts extends DirectoryParts {
  readonly links: Links
  readonly directories: MergedDirectories
  readonly contents: PreparedContents
  readonly letGo: (ino: Ino) => void
}

export class MergedFiles {
  readonly #parts: FileParts
  /** Kept from going while they may have no name, and what each stands for. */
  readonly #held = new Map<Ino, Ino>()
  /** Made here for those that were made there and have no content. */
  readonly #made = new Map<Ino, Ino>()
  #failures = 0

  constructor(parts: FileParts) {
    this.#parts = parts
  }

  /** How many names and inodes could not be brought together. */
  run(changes: TailChanges): number {
    const { added, removed, inodes } = changes
    const { directories } = this.#parts
    this.#each(removed, (entry) => this.#takeName(entry))
    this.#try(() => directories.takeOut(changes))
    this.#each(added, (entry) => this.#addName(entry))
    this.#try(() => directories.putBack())
    this.#each(inodes, (ino) => this.#mergeInode(ino))
    this.#each(this.#held, ([ino, model]) => this.#keepNamed(ino, model))
    for (const ino of this.#held.keys()) this.#parts.letGo(ino)
    return this.#failures
  }

  #each<T>(items: Iterable<T>, merge: (item: T) => void): void {
    for (const item of items) this.#try(() => merge(item))
  }

  #try(merge: () => void): void {
    try {
      merge()
    } catch (error) {
      if (!isAteError(error)) throw error
      this.#failures++
    }
  }

  /** A name that is gone there goes here, unless what it names was changed here and deleted there. */
  #takeName({ parent, name, ino }: NamedInode): void {
    const { state, links, tail, names } = this.#parts
    const entry = state.entries.find(parent, name)
    if (entry?.ino !== ino || entry.type === DIRECTORY_TYPE) return
    if (livingIn(tail.mine, ino) === undefined && this.#isChangedHere(ino)) return
    this.#hold(ino, ino)
    links.unlink(parent, name)
    names.note(parent, name)
  }

  #isChangedHere(ino: Ino): boolean {
    const { state, tail } = this.#parts
    const [before, here] = [inodeIn(tail.base, ino), state.inodes.get(ino)]
    if (before === undefined) return true
    const [was, is] = [
      { records: tail.base, inode: before },
      { records: state.view, inode: here },
    ]
    return isContentChanged(was, is) || areAttributesChanged(was, is)
  }

  #addName({ parent, name, ino }: NamedInode): void {
    const { state, tail, directories, contents, names } = this.#parts
    const model = inodeIn(tail.mine, ino)
    if (model === undefined) return
    if (model.isDirectory) {
      if (inodeIn(tail.base, ino) === undefined) directories.place(ino)
      return
    }
    const here = this.#hereFor(model)
    if (here === undefined) return
    const place = directories.place(parent)
    const there = state.entries.find(place, name)
    if (there?.ino === here.ino) return
    const isSame = there !== undefined && contents.isSame(ino, state.inodes.get(there.ino))
    if (isSame && here.nlink === 0 && model.nlink === 1) return
    const isDeletedHere = here.ino !== ino && inodeIn(tail.base, ino) !== undefined
    this.#link(here.ino, place, isDeletedHere ? names.beside(place, name) : names.free(place, name))
  }

  /** What stands here for what has a new name there. */
  #hereFor(model: Inode): Inode | undefined {
    const { state, tail, contents, made } = this.#parts
    const { ino } = model
    if (inodeIn(tail.base, ino) !== undefined) {
      const here = state.inodes.find(ino)
      if (here !== undefined && (here.nlink > 0 || this.#held.has(ino))) return here
    }
    if (model.isFile) return contents.copyOf(ino)
    const known = this.#made.get(ino)
    if (known !== undefined) return state.inodes.get(known)
    const inode = made.makeAs(model)
    this.#made.set(ino, inode.ino)
    this.#hold(inode.ino, ino)
    state.inodes.markOrphan(inode)
    return inode
  }

  #hold(ino: Ino, model: Ino): void {
    if (!this.#held.has(ino)) this.#parts.state.references.add(ino, 1)
    this.#held.set(ino, model)
  }

  #link(ino: Ino, parent: Ino, name: Name): void {
    this.#parts.links.link(ino, parent, name)
    this.#parts.names.note(parent, name)
  }

  /** Content and attributes of what both sides had. */
  #mergeInode(ino: Ino): void {
    const { state, tail, contents } = this.#parts
    const before = inodeIn(tail.base, ino)
    const after = livingIn(tail.mine, ino)
    if (before === undefined || after === undefined) return
    const here = state.inodes.find(ino)
    if (here === undefined || (here.nlink === 0 && !this.#held.has(ino))) {
      this.#keepDeleted(after)
      return
    }
    const was = { records: tail.base, inode: before }
    const is = { records: tail.mine, inode: after }
    const theirs = { records: state.view, inode: here }
    const copy = isContentChanged(was, is) ? contents.copyOf(ino) : undefined
    if (copy === undefined || contents.isSame(ino, here)) this.#mergeAttributes(was, is, theirs)
    else if (isContentChanged(was, theirs)) this.#keepBeside(copy, here, after)
    else {
      this.#mergeAttributes(was, is, theirs)
      state.content.take(here, copy)
      state.inodes.markDirty(copy)
      state.changeInode(here)
    }
  }

  /** Changed there and deleted here: what was made there has its names, or gets one. */
  #keepDeleted(after: Inode): void {
    const copy = this.#parts.contents.copyOf(after.ino)
    if (copy?.nlink === 0) this.#nameAs(copy.ino, after)
  }

  /** Changed on both sides: the other version lies beside the one that is here. */
  #keepBeside(copy: Inode, here: Inode, after: Inode): void {
    if (copy.nlink > 0) return
    const { state, names } = this.#parts
    const parent = state.inodes.find(here.parent)
    const name = parent?.isDirectory === true && parent.nlink > 0 ? nameIn(state.view, parent.ino, here.ino) : undefined
    if (parent === undefined || name === undefined) this.#nameAs(copy.ino, after)
    else this.#link(copy.ino, parent.ino, names.beside(parent.ino, name))
  }

  /** What has a name there does not lose its last one here. */
  #keepNamed(ino: Ino, model: Ino): void {
    const { state, tail } = this.#parts
    const after = livingIn(tail.mine, model)
    if (after !== undefined && state.inodes.find(ino)?.nlink === 0) this.#nameAs(ino, after)
  }

  #nameAs(ino: Ino, after: Inode): void {
    const { tail, directories, names } = this.#parts
    const name = nameIn(tail.mine, after.parent, after.ino)
    const place = name === undefined ? ROOT_INO : directories.place(after.parent)
    this.#link(ino, place, names.beside(place, name ?? (`inode ${after.ino}` as Name)))
  }

  /** Where both sides changed an attribute it stays as it is here. */
  #mergeAttributes(was: Version, is: Version, theirs: Version): void {
    const { state } = this.#parts
    if (!areAttributesChanged(was, is)) return
    const [before, after, here] = [was.inode, is.inode, theirs.inode]
    for (const key of ['mode', 'uid', 'gid'] as const) if (here[key] === before[key]) here[key] = after[key]
    if (!here.isDirectory && here.mtimeSec === before.mtimeSec && here.mtimeNsec === before.mtimeNsec) {
      here.mtimeSec = after.mtimeSec
      here.mtimeNsec = after.mtimeNsec
    }
    const others = changedXattrs(was, theirs)
    for (const [name, value] of changedXattrs(was, is)) {
      if (others.has(name)) continue
      if (value === undefined) state.xattrs.remove(here, name)
      else state.xattrs.put(here, name, value)
    }
    state.changeInode(here)
  }
}
