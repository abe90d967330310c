/**
 * What the kernel is still to be told of changes made elsewhere. It takes its time, as long as a request waits that it would
 * have to wait for; meanwhile what is to be told of one name, or one inode, is joined: this is never more than the kernel knows.
 */
import type { ChangedElsewhere, ContentRange, Ino } from '../../vfs/types.js'
import { attributesChanged, entryChanged, entryDeleted, inodeChanged } from './notify.js'

/** Told at once; what comes while they are being told waits for the next. */
const MAX_AT_ONCE = 256

type ChangedEntry = ChangedElsewhere['entries'][number]

export class Invalidations {
  readonly #send: (notification: Uint8Array) => Promise<unknown>
  readonly #entries = new Map<string, ChangedEntry>()
  readonly #inodes = new Map<Ino, ContentRange | undefined>()
  #isSending = false

  /** `send` resolves when the kernel has taken it. It gets them in order. */
  constructor(send: (notification: Uint8Array) => Promise<unknown>) {
    this.#send = send
  }

  add({ entries, directories, inodes }: ChangedElsewhere): void {
    for (const entry of entries) this.#entries.set(`${entry.parent}/${entry.name}`, entry)
    // A directory's content is its listing.
    for (const ino of directories) this.#addInode(ino, { from: 0, to: Number.MAX_SAFE_INTEGER })
    for (const { ino, content } of inodes) this.#addInode(ino, content)
    if (!this.#isSending) void this.#sendAll()
  }

  #addInode(ino: Ino, content: ContentRange | undefined): void {
    const known = this.#inodes.get(ino)
    if (known === undefined || content === undefined) this.#inodes.set(ino, content ?? known)
    else this.#inodes.set(ino, { from: Math.min(known.from, content.from), to: Math.max(known.to, content.to) })
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true
    while (this.#entries.size + this.#inodes.size > 0) await Promise.all(this.#take().map(this.#send))
    this.#isSending = false
  }

  /** Names first: who finds a new one asks for what it means, and not for what is remembered of it. */
  #take(): Uint8Array[] {
    const taken: Uint8Array[] = []
    for (const [key, { parent, name, gone }] of this.#entries) {
      if (taken.length >= MAX_AT_ONCE) return taken
      this.#entries.delete(key)
      taken.push(gone === undefined ? entryChanged(parent, name) : entryDeleted(parent, name, gone))
    }
    for (const [ino, content] of this.#inodes) {
      if (taken.length >= MAX_AT_ONCE) return taken
      this.#inodes.delete(ino)
      taken.push(content === undefined ? attributesChanged(ino) : inodeChanged(ino, content.from, lengthOf(content)))
    }
    return taken
  }
}

/** 0: to the end. */
function lengthOf({ from, to }: ContentRange): number {
  return to === Number.MAX_SAFE_INTEGER ? 0 : to - from
}
