/**
 * What the kernel is still to be told of changes made elsewhere. It takes its time, as long as a request waits that it would
 * have to wait for; meanwhile what is to be told of one name, or one inode, is joined: this is never more than the kernel knows.
 */
import type { ChangedElsewhere, ContentRange, Ino } from '../../vfs/types.js'
import { attributesChanged, entryChanged, entryDeleted, inodeChanged, namesChanged } from './notify.js'
import type { Outcome } from './notifier.js'

/** Told at once; what comes while they are being told waits for the next. */
const MAX_AT_ONCE = 256

/** More names than that are all forgotten at once, where the kernel can: after a time without the others. */
const MAX_NAMES = 1000

/**
 * An inode that the kernel does not know may be one that it was just told of, in an answer that it has not taken up yet, and
 * would remember as it was then. One that it has forgotten meanwhile costs these few.
 */
const AGAIN_AFTER_MS = [20, 200, 2000]

type ChangedEntry = ChangedElsewhere['entries'][number]

interface Notification {
  bytes: Uint8Array
  /** Of an inode. */
  ino?: Ino
}

export class Invalidations {
  readonly #send: (notification: Uint8Array) => Promise<Outcome>
  readonly #entries = new Map<string, ChangedEntry>()
  readonly #inodes = new Map<Ino, ContentRange | undefined>()
  /** On their way to the kernel, or to be told to it again. */
  readonly #telling = new Map<Ino, number>()
  #isSending = false
  /** With how many of each were to be told when they began to wait: first come, first told. */
  #waiting: { entries: number; inodes: number; readonly resolve: () => void }[] = []
  /** The kernel can forget all names at once. */
  hasEpoch = false

  /** `send` resolves when the kernel has had it, and never rejects. It gets them in order. */
  constructor(send: (notification: Uint8Array) => Promise<Outcome>) {
    this.#send = send
  }

  /** The kernel may have content in its cache that is another one now. */
  isPending(ino: Ino): boolean {
    return this.#inodes.has(ino) || this.#telling.has(ino)
  }

  /** Resolves when the kernel has been told of everything that was added before; undefined when it has. */
  sent(): Promise<void> | undefined {
    if (!this.#isSending) return undefined
    const [entries, inodes] = [this.#entries.size, this.#inodes.size]
    return new Promise((resolve) => this.#waiting.push({ entries, inodes, resolve }))
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
    while (this.#entries.size + this.#inodes.size > 0) {
      await this.#tell(this.#takeInTurn(), 0)
      for (const { entries, inodes, resolve } of this.#waiting) if (entries <= 0 && inodes <= 0) resolve()
      this.#waiting = this.#waiting.filter(({ entries, inodes }) => entries > 0 || inodes > 0)
    }
    this.#isSending = false
  }

  #takeInTurn(): Notification[] {
    const [entries, inodes] = [this.#entries.size, this.#inodes.size]
    const taken = this.#take()
    for (const waiting of this.#waiting) {
      waiting.entries -= entries - this.#entries.size
      waiting.inodes -= inodes - this.#inodes.size
    }
    return taken
  }

  async #tell(notifications: readonly Notification[], times: number): Promise<void> {
    for (const { ino } of notifications) this.#count(ino, 1)
    const outcomes = await Promise.all(notifications.map(({ bytes }) => this.#send(bytes)))
    const wait = AGAIN_AFTER_MS[times]
    const again = notifications.filter(
      ({ ino }, i) =>
        wait !== undefined && (outcomes[i] === 'failed' || (ino !== undefined && outcomes[i] === 'unknown')),
    )
    for (const notification of notifications) if (!again.includes(notification)) this.#count(notification.ino, -1)
    if (again.length === 0) return
    const tellAgain = (): void => {
      for (const { ino } of again) this.#count(ino, -1)
      void this.#tell(again, times + 1)
    }
    setTimeout(tellAgain, wait).unref()
  }

  #count(ino: Ino | undefined, by: number): void {
    if (ino === undefined) return
    const count = (this.#telling.get(ino) ?? 0) + by
    if (count > 0) this.#telling.set(ino, count)
    else this.#telling.delete(ino)
  }

  /** Names first: who finds a new one asks for what it means, and not for what is remembered of it. Half is left to inodes. */
  #take(): Notification[] {
    const names = this.#takeEntries(Math.max(MAX_AT_ONCE / 2, MAX_AT_ONCE - this.#inodes.size))
    return [...names, ...this.#takeInodes(MAX_AT_ONCE - names.length)]
  }

  #takeEntries(count: number): Notification[] {
    const taken: Notification[] = []
    if (this.hasEpoch && this.#entries.size > MAX_NAMES) {
      this.#entries.clear()
      return [{ bytes: namesChanged() }]
    }
    for (const [key, { parent, name, gone }] of this.#entries) {
      if (taken.length >= count) break
      this.#entries.delete(key)
      const bytes = gone === undefined ? entryChanged(parent, name) : entryDeleted(parent, name, gone)
      taken.push({ bytes })
    }
    return taken
  }

  #takeInodes(count: number): Notification[] {
    const taken: Notification[] = []
    for (const [ino, content] of this.#inodes) {
      if (taken.length >= count) break
      this.#inodes.delete(ino)
      const bytes = content === undefined ? attributesChanged(ino) : inodeChanged(ino, content.from, lengthOf(content))
      taken.push({ bytes, ino })
    }
    return taken
  }
}

/** 0: to the end. */
function lengthOf({ from, to }: ContentRange): number {
  return to === Number.MAX_SAFE_INTEGER ? 0 : to - from
}
