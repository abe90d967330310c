/** Open files by the number that libfuse keeps for us. Each holds a reference to its inode. */
import { AteError } from '../../../engine/error.js'
import type { FileSystem, Ino } from '../../vfs/types.js'

/** The package passes 32 bits with a sign, and takes 0 for none. */
const MAX_HANDLE = 2 ** 31 - 1

export class Handles {
  readonly #fs: FileSystem
  readonly #open = new Map<number, Ino>()
  #last = 0

  constructor(fs: FileSystem) {
    this.#fs = fs
  }

  /** To be called in the turn in which the inode was found. */
  open(ino: Ino): number {
    this.#fs.retain(ino)
    do this.#last = (this.#last % MAX_HANDLE) + 1
    while (this.#open.has(this.#last))
    this.#open.set(this.#last, ino)
    return this.#last
  }

  ino(handle: number): Ino {
    const ino = this.#open.get(handle)
    if (ino === undefined) throw new AteError('STALE', 'No such open file.')
    return ino
  }

  isOpen(ino: Ino): boolean {
    for (const open of this.#open.values()) if (open === ino) return true
    return false
  }

  close(handle: number): void {
    const ino = this.ino(handle)
    this.#open.delete(handle)
    this.#fs.release(ino, 1)
  }
}
