/**
 * The records as they were when it was taken, whatever is committed later. What it holds is what later commits replaced:
 * that is at the same time the answer to "did this change since?".
 *
 * A commit keeps what it replaces in the newest snapshot only; those before it find it there. One that is read takes in
 * what lies between, so that a read never walks far.
 */
import type { RecordItem } from '../chain/record-view.js'
import type { RecordReader } from './record-reader.js'
import { StagedRecords } from './staged-records.js'

export class Snapshot implements RecordReader {
  readonly #replaced: StagedRecords
  /** The one taken next, after further commits: what was replaced since then is kept there. */
  #next: Snapshot | undefined

  constructor(view: RecordReader) {
    this.#replaced = new StagedRecords(view)
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    this.#catchUp()
    return this.#replaced.get(kind, high, low)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    this.#catchUp()
    return this.#replaced.range(kind, high, from, to, limit)
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    this.#catchUp()
    return this.#replaced.floor(kind, high, low)
  }

  /** A commit is about to replace the record: only for the newest. `read` gives its value now (undefined: absent). */
  keep(kind: number, high: number, low: number, read: () => Uint8Array | undefined): void {
    if (this.#replaced.node(kind, high, low) === undefined) this.#replaced.put(kind, high, low, read() ?? null)
  }

  /** From now on commits keep what they replace in `next`. */
  continueIn(next: Snapshot): void {
    this.#next = next
    this.#replaced.below = next
  }

  /** A commit came since that put or deleted the record. */
  hasChanged(kind: number, high: number, low: number): boolean {
    this.#catchUp()
    return this.#replaced.node(kind, high, low) !== undefined || this.#next?.hasChanged(kind, high, low) === true
  }

  hasChangedWithin(kind: number, high: number, from: number, to: number): boolean {
    this.#catchUp()
    return this.#replaced.hasWithin(kind, high, from, to) || this.#next?.hasChangedWithin(kind, high, from, to) === true
  }

  /** Takes in what all but the newest keep. */
  #catchUp(): void {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      const after = next.#next
      if (after === undefined) return
      for (const { kind, high, low, value } of next.#replaced.nodes)
        if (this.#replaced.node(kind, high, low) === undefined) this.#replaced.put(kind, high, low, value)
      this.continueIn(after)
    }
  }
}
