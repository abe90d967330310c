/** Inodes made after those of the state that was set aside: with their number, where nobody else can have given it out. */
import { Inode } from '../inodes/inode.js'
import { decodeNumbers } from '../inodes/inode-numbers.js'
import { KIND_STATE, STATE_NUMBERS } from '../records/record-kinds.js'
import type { FileSystemState } from '../state.js'
import type { Ino } from '../types.js'
import { inodeIn, xattrsIn } from './records.js'
import type { Tail } from './tail.js'

export class MadeInodes {
  readonly #state: FileSystemState
  readonly #tail: Tail
  /** Numbers below this that were given out in the tail were reserved before it, for nobody else. */
  readonly #reserved: number

  constructor(state: FileSystemState, tail: Tail) {
    this.#state = state
    this.#tail = tail
    const numbers = tail.base.get(KIND_STATE, 0, STATE_NUMBERS)
    this.#reserved = numbers === undefined ? 0 : decodeNumbers(numbers).reserved
  }

  /** Without names and content. */
  makeAs(model: Inode): Inode {
    const { inodes, numbers } = this.#state
    const isNew = inodeIn(this.#tail.base, model.ino) === undefined
    const inode = new Inode(isNew ? this.#numberFor(model.ino) : numbers.take(), model.mode)
    copyAttributes(model, inode)
    inode.rdev = model.rdev
    inode.target = model.target
    inode.size = model.target?.length ?? 0
    if (model.xattrs !== 0)
      for (const [name, value] of xattrsIn(this.#tail.mine, model.ino)) this.#state.xattrs.put(inode, name, value)
    numbers.inodes++
    inodes.add(inode)
    return inode
  }

  #numberFor(ino: Ino): Ino {
    const { inodes, numbers } = this.#state
    if (inodes.find(ino) !== undefined) return numbers.take()
    return ino < this.#reserved || numbers.claim(ino) ? ino : numbers.take()
  }
}

export function copyAttributes(from: Inode, to: Inode): void {
  to.mode = from.mode
  to.uid = from.uid
  to.gid = from.gid
  to.atimeSec = from.atimeSec
  to.atimeNsec = from.atimeNsec
  to.mtimeSec = from.mtimeSec
  to.mtimeNsec = from.mtimeNsec
  to.ctimeSec = from.ctimeSec
  to.ctimeNsec = from.ctimeNsec
  to.birthSec = from.birthSec
  to.birthNsec = from.birthNsec
}
