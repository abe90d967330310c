/** The records of a state as they were before changes that led to it: what these replaced is kept in memory. */
import { copyOf } from '../../../engine/bytes/copy.js'
import { mergedRange } from '../../../engine/chain/merged-range.js'
import type { ReceivedChange } from '../../../engine/chain/received-changes.js'
import type { RecordItem, RecordView } from '../../../engine/chain/record-view.js'
import { Overlay } from '../../../engine/index/overlay.js'
import type { Records } from './records.js'

const PAGE = 256
const TRANSACTION = 1

export class RevertedRecords implements Records {
  readonly #after: Pick<RecordView, 'get' | 'range' | 'floor'>
  readonly #replaced = new Overlay()

  /** `before` is read here only. */
  constructor(after: Pick<RecordView, 'get' | 'range' | 'floor'>, changes: readonly ReceivedChange[], before: Records) {
    this.#after = after
    for (const change of changes) this.#revert(change, before)
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    const node = this.#replaced.bucket(kind, high)?.nodes.get(low)
    return node === undefined ? this.#after.get(kind, high, low) : (node.value ?? undefined)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const bucket = this.#replaced.bucket(kind, high)
    if (bucket === undefined) return this.#after.range(kind, high, from, to, limit)
    return mergedRange(bucket, this.#after, kind, high, from, to, limit)
  }

  #revert(change: ReceivedChange, before: Records): void {
    const { kind, high } = change
    if ('low' in change) {
      const was = before.get(kind, high, change.low)
      this.#replaced.put(TRANSACTION, kind, high, change.low, was === undefined ? null : copyOf(was))
      return
    }
    for (let { from } = change; ;) {
      const items = before.range(kind, high, from, change.to, PAGE)
      for (const { low, value } of items) this.#replaced.put(TRANSACTION, kind, high, low, copyOf(value))
      const last = items[PAGE - 1]
      if (last === undefined) return
      from = last.low + 1
    }
  }
}
