/** Names come and go: link, unlink, rmdir, rename (link(2), unlink(2), rmdir(2), rename(2)). */
import { AteError } from '../../engine/error.js'
import { MAX_LINKS, type Creation } from './creation.js'
import type { Entry } from './records/entry-record.js'
import type { Inode } from './inodes/inode.js'
import { entryType, S_IFCHR, S_IFDIR } from './inodes/modes.js'
import type { FileSystemState } from './state.js'
import {
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  ROOT_INO,
  type Caller,
  type Ino,
  type Name,
} from './types.js'

const DIRECTORY_TYPE = entryType(S_IFDIR)
const KNOWN_FLAGS = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT
/** What hides a name of a lower layer (rename(2)). */
const WHITEOUT = { mode: S_IFCHR, rdev: 0, umask: 0 }

export class Links {
  readonly #state: FileSystemState
  readonly #creation: Creation

  constructor(state: FileSystemState, creation: Creation) {
    this.#state = state
    this.#creation = creation
  }

  link(ino: Ino, parent: Ino, name: Name): Inode {
    const { entries, inodes } = this.#state
    const inode = this.#state.changeable(ino)
    const directory = this.#state.livingDirectory(parent)
    if (entries.find(parent, name) !== undefined) throw new AteError('EXISTS', 'The name is taken.')
    if (inode.isDirectory) throw new AteError('NOT_PERMITTED', 'A directory has one name only.')
    if (inode.nlink >= MAX_LINKS) throw new AteError('TOO_MANY_LINKS', 'The file has too many names.')
    entries.insert(parent, name, ino, entryType(inode.mode))
    if (inode.nlink === 0) inodes.unmarkOrphan(inode)
    inode.nlink++
    inode.parent = parent
    this.#state.changeInode(inode)
    this.#state.changeDirectory(directory, 1)
    return inode
  }

  unlink(parent: Ino, name: Name): void {
    const directory = this.#state.directory(parent)
    const entry = this.#found(parent, name)
    if (entry.type === DIRECTORY_TYPE) throw new AteError('IS_A_DIRECTORY', 'Is a directory.')
    const inode = this.#state.inodes.getNamed(entry.ino)
    this.#state.entries.remove(parent, name)
    this.#state.changeDirectory(directory, -1)
    this.#loseName(inode)
  }

  removeDirectory(parent: Ino, name: Name): void {
    const directory = this.#state.directory(parent)
    const entry = this.#found(parent, name)
    if (entry.type !== DIRECTORY_TYPE) throw new AteError('NOT_A_DIRECTORY', 'Not a directory.')
    const inode = this.#state.inodes.getNamed(entry.ino)
    this.#demandEmpty(inode)
    this.#state.entries.remove(parent, name)
    this.#state.changeDirectory(directory, -1)
    this.#loseDirectory(directory, inode)
  }

  rename(parent: Ino, name: Name, newParent: Ino, newName: Name, flags: number, caller: Caller): void {
    const isExchange = (flags & RENAME_EXCHANGE) !== 0
    if ((flags & ~KNOWN_FLAGS) !== 0 || (isExchange && flags !== RENAME_EXCHANGE)) {
      throw new AteError('INVALID', 'Unknown flags of rename.')
    }
    const from = this.#state.directory(parent)
    const to = this.#state.livingDirectory(newParent)
    const source = this.#found(parent, name)
    const target = this.#state.entries.find(newParent, newName)
    if (target !== undefined && (flags & RENAME_NOREPLACE) !== 0) throw new AteError('EXISTS', 'The name is taken.')
    if (isExchange) {
      if (target === undefined) throw new AteError('NO_ENTRY', 'There is nothing to exchange with.')
      this.#exchange(from, name, source, to, newName, target)
    } else if (target?.ino !== source.ino) {
      this.#move(from, name, source, to, newName, target)
      if ((flags & RENAME_WHITEOUT) !== 0) this.#creation.makeNode(parent, name, WHITEOUT, caller)
    }
  }

  #move(from: Inode, name: Name, source: Entry, to: Inode, newName: Name, target: Entry | undefined): void {
    const { entries, inodes } = this.#state
    const inode = inodes.getNamed(source.ino)
    if (source.type === DIRECTORY_TYPE && from !== to) this.#demandOutside(source.ino, to)
    const replaced = target === undefined ? undefined : this.#replaceable(source, target)
    if (target === undefined) entries.insert(to.ino, newName, source.ino, source.type)
    else entries.replace(to.ino, newName, source.ino, source.type)
    entries.remove(from.ino, name)
    this.#state.changeDirectory(from, -1)
    this.#state.changeDirectory(to, target === undefined ? 1 : 0)
    if (replaced?.isDirectory === true) this.#loseDirectory(to, replaced)
    else if (replaced !== undefined) this.#loseName(replaced)
    this.#setParent(inode, from, to)
  }

  #exchange(from: Inode, name: Name, source: Entry, to: Inode, newName: Name, target: Entry): void {
    const { entries, inodes } = this.#state
    if (source.ino === target.ino) return
    const first = inodes.getNamed(source.ino)
    const second = inodes.getNamed(target.ino)
    if (source.type === DIRECTORY_TYPE) this.#demandOutside(source.ino, to)
    if (target.type === DIRECTORY_TYPE) this.#demandOutside(target.ino, from)
    entries.replace(from.ino, name, target.ino, target.type)
    entries.replace(to.ino, newName, source.ino, source.type)
    this.#state.changeDirectory(from, 0)
    this.#state.changeDirectory(to, 0)
    this.#setParent(first, from, to)
    this.#setParent(second, to, from)
  }

  /** The inode that a move replaces; fails when it may not be. */
  #replaceable(source: Entry, target: Entry): Inode {
    const inode = this.#state.inodes.getNamed(target.ino)
    if (source.type === DIRECTORY_TYPE) {
      if (target.type !== DIRECTORY_TYPE)
        throw new AteError('NOT_A_DIRECTORY', 'A directory replaces directories only.')
      this.#demandEmpty(inode)
    } else if (target.type === DIRECTORY_TYPE) {
      throw new AteError('IS_A_DIRECTORY', 'A file does not replace a directory.')
    }
    return inode
  }

  #setParent(inode: Inode, from: Inode, to: Inode): void {
    if (inode.isDirectory && from !== to) {
      from.nlink--
      to.nlink++
    }
    inode.parent = to.ino
    this.#state.changeInode(inode)
  }

  #found(parent: Ino, name: Name): Entry {
    const entry = this.#state.entries.find(parent, name)
    if (entry === undefined) throw new AteError('NO_ENTRY', 'There is no such entry.')
    return entry
  }

  #demandEmpty(inode: Inode): void {
    if (!this.#state.entries.isEmpty(inode.ino)) throw new AteError('NOT_EMPTY', 'The directory is not empty.')
  }

  /** A directory cannot move into itself or below. */
  #demandOutside(moved: Ino, destination: Inode): void {
    // A chain of parents longer than there are inodes would be a loop in damaged records.
    let left = this.#state.numbers.inodes + 2
    for (let at = destination; ; at = this.#state.inodes.get(at.parent)) {
      if (at.ino === moved) throw new AteError('INVALID', 'A directory cannot move into itself.')
      if (at.ino === ROOT_INO) return
      if (left-- <= 0) throw new AteError('INPUT_OUTPUT', 'The parents of a directory form a loop.')
    }
  }

  #loseName(inode: Inode): void {
    inode.nlink = Math.max(0, inode.nlink - 1)
    if (inode.nlink === 0) this.#state.abandon(inode)
    else this.#state.changeInode(inode)
  }

  #loseDirectory(parent: Inode, inode: Inode): void {
    parent.nlink = Math.max(2, parent.nlink - 1)
    inode.nlink = 0
    this.#state.abandon(inode)
  }
}
