/** Changes that are not committed, over what they will change. */
import { mergedFloor, mergedRange } from '../chain/merged-range.js'
import type { RecordItem } from '../chain/record-view.js'
import { Overlay, type OverlayBucket, type OverlayNode } from '../index/overlay.js'
import type { RecordReader } from './record-reader.js'

/** An overlay forgets by transactions; this one goes as a whole. */
const ONE_GENERATION = 1
/** So many are looked through faster than they are sorted in: most transactions have no more. */
const MAX_FEW = 8

export class StagedRecords implements RecordReader {
  /** What they will change. */
  below: RecordReader
  #few: OverlayNode[] = []
  /** All of them, when they are more, or asked for in order. */
  #many: Overlay | undefined

  constructor(below: RecordReader) {
    this.below = below
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    const node = this.node(kind, high, low)
    return node === undefined ? this.below.get(kind, high, low) : (node.value ?? undefined)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const bucket = this.#bucket(kind, high)
    if (bucket === undefined) return this.below.range(kind, high, from, to, limit)
    return mergedRange(bucket, this.below, kind, high, from, to, limit)
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    const bucket = this.#bucket(kind, high)
    if (bucket === undefined) return this.below.floor(kind, high, low)
    return mergedFloor(bucket, this.below, kind, high, low)
  }

  /** A null value deletes. */
  put(kind: number, high: number, low: number, value: Uint8Array | null): void {
    const known = this.#many === undefined ? this.node(kind, high, low) : undefined
    if (known !== undefined) known.value = value
    else if (this.#many === undefined && this.#few.length < MAX_FEW)
      this.#few.push({ kind, high, low, value, transaction: ONE_GENERATION })
    else this.#sorted().put(ONE_GENERATION, kind, high, low, value)
  }

  /** The change of one record, undefined when there is none. */
  node(kind: number, high: number, low: number): OverlayNode | undefined {
    if (this.#many !== undefined) return this.#many.bucket(kind, high)?.nodes.get(low)
    return this.#few.find((node) => node.low === low && node.high === high && node.kind === kind)
  }

  /** A change in [from, to], whatever it is. */
  hasWithin(kind: number, high: number, from: number, to: number): boolean {
    const first = this.#bucket(kind, high)?.lows().from(from, 1)[0]
    return first !== undefined && first <= to
  }

  /** In the order of their first touch. */
  get nodes(): readonly Readonly<OverlayNode>[] {
    return this.#many?.changesOf(ONE_GENERATION).nodes ?? this.#few
  }

  #bucket(kind: number, high: number): OverlayBucket | undefined {
    const hasAny = this.#many !== undefined || this.#few.some((node) => node.kind === kind && node.high === high)
    return hasAny ? this.#sorted().bucket(kind, high) : undefined
  }

  #sorted(): Overlay {
    if (this.#many === undefined) {
      this.#many = new Overlay()
      for (const { kind, high, low, value } of this.#few) this.#many.put(ONE_GENERATION, kind, high, low, value)
      this.#few = []
    }
    return this.#many
  }
}
