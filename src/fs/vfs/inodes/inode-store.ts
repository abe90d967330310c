/**
 * The inodes in memory and their records. Two generations make a cache with cheap, approximately least-recently-used
 * eviction: what is used moves to the young one; when that is full the old one is dropped, except for what is pinned.
 *
 * Invariant: at any time at most one object stands for an inode; nobody keeps one across a turn of the event loop.
 */
import type { RecordView } from '../../../engine/chain/record-view.js'
import { AteError } from '../../../engine/error.js'
import type { Inode } from './inode.js'
import { decodeInode, encodeInode } from '../records/inode-record.js'
import { encodeOrphan, ONLY_WRITER } from '../records/orphan-record.js'
import { KIND_INODE, KIND_ORPHAN } from '../records/record-kinds.js'
import type { Ino } from '../types.js'

/** Neighbours in memory and on disk: inodes of one bucket. */
export const INODES_PER_BUCKET = 256

/** With a commit; others free what was not said to be in use for three times as long (`FORSAKEN_SECONDS`). */
const SEEN_AGAIN_SECONDS = 10 * 86_400

export function bucketOf(ino: Ino): number {
  return Math.floor(ino / INODES_PER_BUCKET)
}

export class InodeStore {
  readonly #view: RecordView
  readonly #generationSize: number
  readonly #onWarning: (message: string) => void
  #young = new Map<Ino, Inode>()
  #old = new Map<Ino, Inode>()
  #youngLimit: number
  #dirty: Inode[] = []
  /** Without a name but in use; those not told to the log yet. */
  #newOrphans: Inode[] = []
  readonly orphans = new Map<Ino, Inode>()
  /** Deleted elsewhere while in use here: they can be read until nobody uses them. */
  readonly departed = new Map<Ino, Inode>()
  readonly #writer: number
  readonly #nowSec: () => number
  /** When those without a name were last said to be in use. */
  #seenSec: number
  /** Where others change the chain too, an access time alone is nothing to ask for the turn for. */
  readonly #keepsAccessTimes: boolean
  /** Told when leaving memory made an inode's access time a change. */
  onLateChange: () => void = () => undefined

  /** `writer`: which of the chain's writers this is, where it has several. */
  constructor(
    view: RecordView,
    cachedInodes: number,
    onWarning: (message: string) => void,
    writer: number = ONLY_WRITER,
    nowSec: () => number = () => 0,
  ) {
    this.#writer = writer
    this.#nowSec = nowSec
    this.#seenSec = nowSec()
    this.#keepsAccessTimes = writer === ONLY_WRITER
    this.#view = view
    this.#generationSize = this.#youngLimit = Math.max(1, cachedInodes >>> 1)
    this.#onWarning = onWarning
  }

  /** Fails with STALE when there is no such inode, INPUT_OUTPUT when its record cannot be read. */
  get(ino: Ino): Inode {
    const inode = this.find(ino)
    if (inode === undefined) throw new AteError('STALE', 'There is no such inode.')
    return inode
  }

  /** The inode that an entry names. One that is not there is damage. */
  getNamed(ino: Ino): Inode {
    const inode = this.find(ino)
    if (inode === undefined) throw this.#unreadable(ino, 'its record is missing')
    return inode
  }

  /** Undefined when there is no such inode. Fails with INPUT_OUTPUT when its record cannot be read. */
  find(ino: Ino): Inode | undefined {
    return this.#young.get(ino) ?? this.#findOlder(ino)
  }

  /** Inodes that differ from their records, in the order in which they were first changed. */
  get dirty(): readonly Inode[] {
    return this.#dirty
  }

  /** Inodes in memory. */
  get cached(): number {
    return this.#young.size + this.#old.size
  }

  /** Takes in a new inode. */
  add(inode: Inode): void {
    this.#keep(inode)
    this.markDirty(inode)
  }

  markDirty(inode: Inode): void {
    if (inode.isDirty) return
    inode.isDirty = true
    this.#dirty.push(inode)
    // The operation that changes it may have needed more inodes than there is room for: it may have left meanwhile.
    if (this.#young.get(inode.ino) === inode || this.#old.get(inode.ino) === inode) return
    this.#old.delete(inode.ino)
    this.#keep(inode)
  }

  markOrphan(inode: Inode): void {
    this.orphans.set(inode.ino, inode)
    this.#newOrphans.push(inode)
  }

  /** It has a name again, or is gone. */
  unmarkOrphan(inode: Inode): void {
    if (!this.orphans.delete(inode.ino)) return
    if (inode.isOrphanRecorded) this.#view.delete(KIND_ORPHAN, 0, inode.ino)
    inode.isOrphanRecorded = false
  }

  /** Forgets an inode and its record; its content and attributes are the caller's to remove. */
  erase(inode: Inode): void {
    this.unmarkOrphan(inode)
    this.#young.delete(inode.ino)
    this.#old.delete(inode.ino)
    if (inode.isStored) this.#view.delete(KIND_INODE, bucketOf(inode.ino), inode.ino)
    inode.isStored = false
    // It may still be in the dirty list: commits skip what is not dirty.
    inode.isDirty = false
    inode.isAtimeDirty = false
  }

  /** The inode's record was changed elsewhere: what is in memory is of no use any more. Nothing may be dirty. */
  refresh(ino: Ino): void {
    this.#young.delete(ino)
    this.#old.delete(ino)
    if (!this.orphans.delete(ino)) return
    const inode = this.#findQuietly(ino)
    if (inode === undefined || inode.nlink > 0) return
    inode.isOrphanRecorded = true
    this.orphans.set(ino, inode)
  }

  /** They were removed elsewhere. */
  forgetOrphans(gone: Iterable<Ino>): void {
    for (const ino of gone) this.orphans.delete(ino)
  }

  /** Whether the inode exists and has a name, as far as can be told. */
  hasName(ino: Ino): boolean {
    if (this.departed.has(ino)) return false
    return (this.#findQuietly(ino)?.nlink ?? 0) > 0
  }

  /** Puts the records of everything that differs from them. */
  flush(): void {
    for (const inode of this.#dirty) if (inode.isDirty) this.#put(inode)
    this.#dirty = []
    for (const inode of this.#newOrphans) {
      if (!this.orphans.has(inode.ino) || inode.isOrphanRecorded) continue
      this.#putOrphan(inode)
    }
    this.#newOrphans = []
    if (this.#nowSec() - this.#seenSec < SEEN_AGAIN_SECONDS) return
    this.#seenSec = this.#nowSec()
    if (this.#writer !== ONLY_WRITER) for (const inode of this.orphans.values()) this.#putOrphan(inode)
  }

  /** Access times not written yet become changes. */
  dirtyAccessTimes(): void {
    for (const generation of [this.#old, this.#young]) {
      for (const inode of generation.values()) if (inode.isAtimeDirty) this.markDirty(inode)
    }
  }

  #putOrphan(inode: Inode): void {
    const seenSec = Math.max(0, this.#nowSec())
    this.#view.put(KIND_ORPHAN, 0, inode.ino, encodeOrphan({ user: this.#writer, seenSec }))
    inode.isOrphanRecorded = true
  }

  #put(inode: Inode): void {
    this.#view.put(KIND_INODE, bucketOf(inode.ino), inode.ino, encodeInode(inode))
    inode.isDirty = false
    inode.isAtimeDirty = false
    inode.isStored = true
  }

  #findQuietly(ino: Ino): Inode | undefined {
    try {
      return this.find(ino)
    } catch {
      // Told already, and whoever reads it is told again.
      return undefined
    }
  }

  #findOlder(ino: Ino): Inode | undefined {
    const old = this.#old.get(ino)
    if (old !== undefined) {
      this.#old.delete(ino)
      this.#keep(old)
      return old
    }
    const departed = this.departed.get(ino)
    if (departed !== undefined) return departed
    const inode = this.orphans.get(ino) ?? this.#load(ino)
    if (inode !== undefined) this.#keep(inode)
    return inode
  }

  #load(ino: Ino): Inode | undefined {
    const record = this.#view.get(KIND_INODE, bucketOf(ino), ino)
    if (record === undefined) return undefined
    try {
      return decodeInode(ino, record)
    } catch (cause) {
      throw this.#unreadable(ino, 'its record is damaged', cause)
    }
  }

  #unreadable(ino: Ino, why: string, cause?: unknown): AteError {
    this.#onWarning(`Inode ${ino} cannot be read: ${why}. Run fsck.`)
    return new AteError('INPUT_OUTPUT', `Inode ${ino} cannot be read: ${why}.`, { cause })
  }

  #keep(inode: Inode): void {
    this.#young.set(inode.ino, inode)
    if (this.#young.size < this.#youngLimit) return
    const dropped = this.#old
    this.#old = this.#young
    this.#young = new Map()
    for (const old of dropped.values()) {
      if (old.isDirty) this.#young.set(old.ino, old)
      else if (old.isAtimeDirty && this.#keepsAccessTimes) {
        this.#put(old)
        this.onLateChange()
      }
    }
    this.#youngLimit = this.#young.size + this.#generationSize
  }
}
