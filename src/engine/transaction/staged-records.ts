/** Changes that are not committed, over what they will change. */
import { mergedFloor, mergedRange } from '../chain/merged-range.js'
import type { RecordItem } from '../chain/record-view.js'
import { Overlay, type OverlayNode } from '../index/overlay.js'
import type { RecordReader } from './record-reader.js'

/** An overlay forgets by transactions; this one goes as a whole. */
const ONE_GENERATION = 1

export class StagedRecords implements RecordReader {
  /** What they will change. */
  below: RecordReader
  readonly #overlay = new Overlay()

  constructor(below: RecordReader) {
    this.below = below
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    const node = this.node(kind, high, low)
    return node === undefined ? this.below.get(kind, high, low) : (node.value ?? undefined)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const bucket = this.#overlay.bucket(kind, high)
    if (bucket === undefined) return this.below.range(kind, high, from, to, limit)
    return mergedRange(bucket, this.below, kind, high, from, to, limit)
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    const bucket = this.#overlay.bucket(kind, high)
    if (bucket === undefined) return this.below.floor(kind, high, low)
    return mergedFloor(bucket, this.below, kind, high, low)
  }

  /** A null value deletes. */
  put(kind: number, high: number, low: number, value: Uint8Array | null): void {
    this.#overlay.put(ONE_GENERATION, kind, high, low, value)
  }

  /** The change of one record, undefined when there is none. */
  node(kind: number, high: number, low: number): Readonly<OverlayNode> | undefined {
    return this.#overlay.bucket(kind, high)?.nodes.get(low)
  }

  /** A change in [from, to], whatever it is. */
  hasWithin(kind: number, high: number, from: number, to: number): boolean {
    const first = this.#overlay.bucket(kind, high)?.lows().from(from, 1)[0]
    return first !== undefined && first <= to
  }

  /** In the order of their first touch. */
  get nodes(): readonly Readonly<OverlayNode>[] {
    return this.#overlay.changesOf(ONE_GENERATION).nodes
  }
}
