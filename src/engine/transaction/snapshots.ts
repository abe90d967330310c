/**
 * The snapshots of a chain. Who reads one holds it, and need not say when he is done: it is held weakly here. Transactions
 * say it all the same, so that a commit which nobody reads beside keeps nothing.
 */
import type { RecordReader } from './record-reader.js'
import { Snapshot } from './snapshot.js'

export class Snapshots {
  readonly #view: RecordReader
  /** Held by transactions: how many. */
  readonly #leases = new Map<WeakRef<Snapshot>, number>()
  /** Held by others, for as long as they are there. */
  readonly #given = new Set<WeakRef<Snapshot>>()
  #newest: WeakRef<Snapshot> | undefined
  /** Nothing has been committed since the newest was taken. */
  #isCurrent = false

  constructor(view: RecordReader) {
    this.#view = view
  }

  /** The records as they are now. */
  take(): Snapshot {
    const { snapshot, reference } = this.#current()
    this.#given.add(reference)
    return snapshot
  }

  /** As `take`, until `giveBack` is called. */
  lease(): { readonly snapshot: Snapshot; readonly giveBack: () => void } {
    const { snapshot, reference } = this.#current()
    this.#leases.set(reference, (this.#leases.get(reference) ?? 0) + 1)
    return { snapshot, giveBack: () => this.#giveBack(reference) }
  }

  /** The snapshot in which a commit must keep what it replaces; undefined when nobody reads. Called by each commit. */
  forCommit(): Snapshot | undefined {
    this.#isCurrent = false
    return this.#isRead ? this.#newest?.deref() : undefined
  }

  /** Those of older states that are read now; what it returns tells whether all of them are gone. */
  mark(): () => boolean {
    const current = this.#isCurrent ? this.#newest : undefined
    const marked = [...this.#leases.keys(), ...this.#given].filter((reference) => reference !== current)
    const isRead = (reference: WeakRef<Snapshot>): boolean =>
      reference.deref() !== undefined && (this.#leases.has(reference) || this.#given.has(reference))
    return () => !marked.some(isRead)
  }

  #current(): { snapshot: Snapshot; reference: WeakRef<Snapshot> } {
    const newest = this.#newest?.deref()
    if (this.#isCurrent && newest !== undefined && this.#newest !== undefined)
      return { snapshot: newest, reference: this.#newest }
    const snapshot = new Snapshot(this.#view)
    if (newest !== undefined && this.#isRead) newest.continueIn(snapshot)
    const reference = new WeakRef(snapshot)
    this.#newest = reference
    this.#isCurrent = true
    return { snapshot, reference }
  }

  #giveBack(reference: WeakRef<Snapshot>): void {
    const left = (this.#leases.get(reference) ?? 1) - 1
    if (left > 0) this.#leases.set(reference, left)
    else this.#leases.delete(reference)
  }

  /** Somebody reads one: then every newer one is there too, as what that goes on in. */
  get #isRead(): boolean {
    for (const reference of this.#leases.keys()) {
      if (reference.deref() !== undefined) return true
      this.#leases.delete(reference)
    }
    for (const reference of this.#given) {
      if (reference.deref() !== undefined) return true
      this.#given.delete(reference)
    }
    return false
  }
}
