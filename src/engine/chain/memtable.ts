/**
 * What the log has made durable and the index has not taken in yet, on the writing side. It is filled from receipts and
 * from replayed batches alike, and flushed as a whole.
 */
import type { LogCounters } from '../index/index-state.js'
import type { GroupPlace, LogPoint, NumberRange } from '../log/types.js'
import { GROUP_CONTENT } from '../log/types.js'
import { BODY_PLACE_KIND, bodyPlaceHigh, encodeBodyPlace } from './body-place.js'
import { type ChangeSink, readChanges } from './change-stream.js'
import { blocksOfRecords } from './compaction/blocks-of-records.js'
import { numberBehind } from './group-numbers.js'
import { Overlay } from '../index/overlay.js'

/** What a node costs in memory beside its value. */
const NODE_BYTES = 120
const ONE_GENERATION = 1

export class Memtable implements ChangeSink {
  readonly overlay = new Overlay()
  /** Approximate memory held. */
  bytes = 0
  /** The last transaction taken in; 0 for replayed batches. */
  transaction = 0
  point: LogPoint | undefined
  nextGroup: number
  recordBytes: number

  /** `counters`: of what came before. */
  constructor({ nextGroup, recordBytes }: LogCounters) {
    this.nextGroup = nextGroup
    this.recordBytes = recordBytes
  }

  addBatch(
    records: readonly Uint8Array[],
    groups: readonly GroupPlace[],
    point: LogPoint,
    dropped: readonly NumberRange[],
  ): void {
    for (const stream of records) readChanges(stream, this)
    for (const { from, to } of dropped)
      for (let body = from; body <= to; body++) this.delete(BODY_PLACE_KIND, bodyPlaceHigh(body), body)
    this.nextGroup = numberBehind(this.nextGroup, groups)
    for (const place of groups) {
      if (place.kind !== GROUP_CONTENT) continue
      this.put(BODY_PLACE_KIND, bodyPlaceHigh(place.number), place.number, encodeBodyPlace(place))
    }
    // Those of a batch whose records are forgotten count no more.
    if (records.length > 0) this.recordBytes += blocksOfRecords(groups)
    this.point = point
  }

  /** Of a batch that is refused nothing counts but that it was there. */
  addRefused(groups: readonly GroupPlace[], point: LogPoint): void {
    this.nextGroup = numberBehind(this.nextGroup, groups, true)
    this.point = point
  }

  put(kind: number, high: number, low: number, value: Uint8Array): void {
    this.overlay.put(ONE_GENERATION, kind, high, low, value)
    this.bytes += value.length + NODE_BYTES
  }

  delete(kind: number, high: number, low: number): void {
    this.overlay.put(ONE_GENERATION, kind, high, low, null)
    this.bytes += NODE_BYTES
  }

  deleteRange(kind: number, high: number, from: number, to: number): void {
    this.overlay.deleteRange(ONE_GENERATION, kind, high, from, to)
    this.bytes += NODE_BYTES
  }

  /** Takes in a later memtable, as if its batches had been added here. */
  follow(later: Memtable): void {
    for (const { kind, high, bucket } of later.overlay.buckets()) {
      for (const { from, to } of bucket.cleared) this.deleteRange(kind, high, from, to)
      for (const { low, value } of bucket.nodes.values()) {
        if (value === null) this.delete(kind, high, low)
        else this.put(kind, high, low, value)
      }
    }
    this.point = later.point ?? this.point
    this.recordBytes = later.recordBytes
    this.nextGroup = Math.max(this.nextGroup, later.nextGroup)
    this.transaction = Math.max(this.transaction, later.transaction)
  }
}
