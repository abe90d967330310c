/**
 * Reads and changes of records that are committed together or not at all. Reads see the snapshot and the transaction's own
 * changes; whatever was read must be unchanged at the commit, which makes transactions serializable in the order of their
 * commits.
 */
import type { RecordItem } from '../chain/record-view.js'
import type { OverlayNode } from '../index/overlay.js'
import { ReadSet } from './read-set.js'
import type { RecordReader } from './record-reader.js'
import type { Snapshot } from './snapshot.js'
import type { Snapshots } from './snapshots.js'
import { StagedRecords } from './staged-records.js'

/** What a record takes in the log beside its value. */
const RECORD_OVERHEAD_BYTES = 32

export class RecordTransaction implements RecordReader {
  readonly #snapshots: Snapshots
  /** Taken with the first read: one that only stores new objects needs none. */
  #lease: ReturnType<Snapshots['lease']> | undefined
  readonly #staged: StagedRecords
  readonly #reads = new ReadSet()
  #bytes = 0

  constructor(snapshots: Snapshots) {
    this.#snapshots = snapshots
    this.#staged = new StagedRecords({
      get: (...key) => this.#snapshot.get(...key),
      range: (...range) => this.#snapshot.range(...range),
      floor: (...key) => this.#snapshot.floor(...key),
    })
  }

  /** Reads whose outcome the transaction does not depend on. */
  get unwatched(): RecordReader {
    return this.#staged
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    if (this.#staged.node(kind, high, low) === undefined) this.#reads.addKey(kind, high, low)
    return this.#staged.get(kind, high, low)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const items = this.#staged.range(kind, high, from, to, limit)
    const last = items.length < limit ? to : (items[items.length - 1]?.low ?? to)
    this.#reads.addRange(kind, high, from, last)
    return items
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    const item = this.#staged.floor(kind, high, low)
    this.#reads.addRange(kind, high, item?.low ?? 0, low)
    return item
  }

  /** `value` is kept, not copied. */
  put(kind: number, high: number, low: number, value: Uint8Array): void {
    this.#staged.put(kind, high, low, value)
    this.#bytes += value.length + RECORD_OVERHEAD_BYTES
  }

  delete(kind: number, high: number, low: number): void {
    this.#staged.put(kind, high, low, null)
    this.#bytes += RECORD_OVERHEAD_BYTES
  }

  /** What was read there is not depended on any more: a conflict has been resolved. */
  excuse(kind: number, high: number, low: number): void {
    this.#reads.removeKey(kind, high, low)
  }

  /** The change of one record, undefined when there is none. */
  staged(kind: number, high: number, low: number): Readonly<OverlayNode> | undefined {
    return this.#staged.node(kind, high, low)
  }

  /** The changes in the order of their first touch; a null value deletes. */
  get changes(): readonly Readonly<OverlayNode>[] {
    return this.#staged.nodes
  }

  /** What the changes take in the log, at most. */
  get bytes(): number {
    return this.#bytes
  }

  /** Something that was read has changed. */
  get isStale(): boolean {
    return this.#lease !== undefined && this.#reads.isStale(this.#lease.snapshot)
  }

  /** Another commit changed the record since this one first read anything. */
  hasChanged(kind: number, high: number, low: number): boolean {
    return this.#lease?.snapshot.hasChanged(kind, high, low) === true
  }

  /** It reads nothing any more. */
  end(): void {
    this.#lease?.giveBack()
    this.#lease = undefined
  }

  get #snapshot(): Snapshot {
    this.#lease ??= this.#snapshots.lease()
    return this.#lease.snapshot
  }
}
