/**
 * Contents that were set aside, copied into files without a name here before anything else is changed: what is done with them
 * then is done at once. A crash before that leaves files without a name, which go with the next mount.
 */
import { equalBytes } from '../../../engine/bytes/equal.js'
import { Content } from '../content/content.js'
import type { Inode } from '../inodes/inode.js'
import type { FileSystemState } from '../state.js'
import type { Ino } from '../types.js'
import { type MadeInodes, copyAttributes } from './made-inodes.js'
import { inodeIn } from './records.js'
import type { Tail } from './tail.js'

const COPY_BYTES = 1024 * 1024

export interface ContentParts {
  readonly state: FileSystemState
  readonly tail: Tail
  readonly made: MadeInodes
  /** Resolves when so much may be changed, up to the next turn of the event loop. */
  readonly admitted: (bytes: number) => Promise<void>
  /** Gives back a reference to an inode that was kept while it had no name. */
  readonly letGo: (ino: Ino) => void
}

export class PreparedContents {
  readonly #parts: ContentParts
  readonly #mine: Content
  readonly #copies = new Map<Ino, Ino>()
  /** Files here that have the same content as those that were set aside, and their time of change. */
  readonly #same = new Map<Ino, { ino: Ino; ctimeSec: number; ctimeNsec: number }>()

  constructor(parts: ContentParts) {
    this.#parts = parts
    this.#mine = new Content(parts.tail.mine, () => undefined)
  }

  /** The file here, with a name or without, that has the content which that one had there. */
  copyOf(ino: Ino): Inode | undefined {
    const copy = this.#copies.get(ino)
    return copy === undefined ? undefined : this.#parts.state.inodes.get(copy)
  }

  /** The file here was found to have that content, and has not changed since. */
  isSame(ino: Ino, here: Inode): boolean {
    const same = this.#same.get(ino)
    return same?.ino === here.ino && same.ctimeSec === here.ctimeSec && same.ctimeNsec === here.ctimeNsec
  }

  async copy(ino: Ino): Promise<void> {
    const { state, tail, made, admitted } = this.#parts
    const model = inodeIn(tail.mine, ino)
    if (model === undefined || this.#copies.has(ino)) return
    await admitted(COPY_BYTES)
    const copy = made.makeAs(model)
    // Kept from going while it has no name.
    state.references.add(copy.ino, 1)
    state.inodes.markOrphan(copy)
    this.#copies.set(ino, copy.ino)
    const buffer = new Uint8Array(Math.min(model.size, COPY_BYTES))
    for (let at = this.#mine.nextData(model, 0); at !== undefined && at < model.size;) {
      const count = await this.#mine.read(model, at, Math.min(model.size - at, buffer.length), buffer, 0)
      await admitted(count)
      const target = state.inodes.get(copy.ino)
      state.content.write(target, at, buffer.subarray(0, count))
      state.inodes.markDirty(target)
      at = this.#mine.nextData(model, at + count)
    }
    await admitted(0)
    const whole = state.inodes.get(copy.ino)
    state.content.truncate(whole, model.size)
    copyAttributes(model, whole)
    state.inodes.markDirty(whole)
  }

  /** Looks whether the file here has the content of that one. */
  async compare(ino: Ino, here: Ino): Promise<void> {
    const { state, tail } = this.#parts
    const model = inodeIn(tail.mine, ino)
    const { size, ctimeSec, ctimeNsec } = state.inodes.get(here)
    if (model?.size !== size) return
    const [mine, theirs] = [new Uint8Array(COPY_BYTES), new Uint8Array(COPY_BYTES)]
    for (let at = 0; at < size; at += COPY_BYTES) {
      const length = Math.min(COPY_BYTES, size - at)
      await this.#mine.read(model, at, length, mine, 0)
      const inode = state.inodes.find(here)
      if (inode === undefined || inode.size !== size) return
      await state.content.read(inode, at, length, theirs, 0)
      if (!equalBytes(mine.subarray(0, length), theirs.subarray(0, length))) return
    }
    this.#same.set(ino, { ino: here, ctimeSec, ctimeNsec })
  }

  /** What was used for nothing goes. */
  release(): void {
    for (const ino of this.#copies.values()) this.#parts.letGo(ino)
    this.#copies.clear()
  }
}
