/**
 * The records as they were when it was taken, whatever is committed later. What it holds is what later commits replaced:
 * that is at the same time the answer to "did this change since?".
 */
import type { RecordItem, RecordView } from '../chain/record-view.js'
import { StagedRecords } from './staged-records.js'

export type RecordReader = Pick<RecordView, 'get' | 'range' | 'floor'>

export class Snapshot implements RecordReader {
  readonly #replaced: StagedRecords

  constructor(view: RecordReader) {
    this.#replaced = new StagedRecords(view)
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    return this.#replaced.get(kind, high, low)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    return this.#replaced.range(kind, high, from, to, limit)
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    return this.#replaced.floor(kind, high, low)
  }

  /** A commit is about to replace the record, which is `value` now (undefined: absent). */
  keep(kind: number, high: number, low: number, value: Uint8Array | undefined): void {
    if (!this.hasChanged(kind, high, low)) this.#replaced.put(kind, high, low, value ?? null)
  }

  /** A commit came since that put or deleted the record. */
  hasChanged(kind: number, high: number, low: number): boolean {
    return this.#replaced.node(kind, high, low) !== undefined
  }

  hasChangedWithin(kind: number, high: number, from: number, to: number): boolean {
    return this.#replaced.hasWithin(kind, high, from, to)
  }
}
