/** Inodes made after those of the state that was set aside: with their number, where nobody else can have given it out. */
import { Inode } from '../inodes/inode.js'
import { decodeNumbers } from '../inodes/inode-numbers.js'
import { KIND_STATE, STATE_NUMBERS } from '../records/record-kinds.js'
import type { FileSystemState } from '../state.js'
import type { Ino } from '../types.js'
import { inodeIn, type Records, xattrsIn } from './records.js'
import type { Tail } from './tail.js'

export class MadeInodes {
  readonly #state: FileSystemState
  readonly #tail: Tail
  /** Of the numbers given out in the tail those from here to there may be somebody else's here. */
  #shared: { readonly from: Ino; readonly to: Ino } | undefined
  /** Made with the number that they had there. */
  readonly kept = new Set<Ino>()

  constructor(state: FileSystemState, tail: Tail) {
    this.#state = state
    this.#tail = tail
  }

  /** Without names and content. */
  makeAs(model: Inode): Inode {
    const { inodes, numbers } = this.#state
    const isNew = inodeIn(this.#tail.base, model.ino) === undefined
    this.#shared ??= this.#reserve()
    const inode = new Inode(isNew ? this.#numberFor(model.ino, this.#shared) : numbers.take(), model.mode)
    copyAttributes(model, inode)
    inode.rdev = model.rdev
    inode.target = model.target
    inode.size = model.target?.length ?? 0
    if (model.xattrs !== 0)
      for (const [name, value] of xattrsIn(this.#tail.mine, model.ino)) this.#state.xattrs.put(inode, name, value)
    if (inode.ino === model.ino) this.kept.add(inode.ino)
    numbers.inodes++
    inodes.add(inode)
    return inode
  }

  #numberFor(ino: Ino, { from, to }: { from: Ino; to: Ino }): Ino {
    const { inodes, numbers } = this.#state
    const isShared = ino >= from && ino < to
    return isShared || inodes.find(ino) !== undefined ? numbers.take() : ino
  }

  /** Before others are taken here: none of these may be that of one in the tail. */
  #reserve(): { from: Ino; to: Ino } {
    const { base, mine } = this.#tail
    return { from: reservedIn(base), to: this.#state.numbers.reserveTo(reservedIn(mine)) }
  }
}

function reservedIn(records: Records): Ino {
  const numbers = records.get(KIND_STATE, 0, STATE_NUMBERS)
  return numbers === undefined ? 0 : decodeNumbers(numbers).reserved
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
