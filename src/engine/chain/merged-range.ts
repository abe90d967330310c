/** Reads one (kind, high) as the overlay's bucket over the index: what the bucket knows, and what it cleared, wins. */
import type { IndexReader } from '../index/index-reader.js'
import type { OverlayBucket } from '../index/overlay.js'
import type { RecordItem } from './record-view.js'

type Source = Pick<IndexReader, 'range' | 'floor'>

export function mergedRange(
  bucket: OverlayBucket,
  index: Source,
  kind: number,
  high: number,
  from: number,
  to: number,
  limit: number,
): RecordItem[] {
  const items: RecordItem[] = []
  const below = new VisibleIndex(bucket, index, kind, high, from, to, limit)
  let item = below.next()
  // One page of lows can hide nothing but nodes: deleted ones are skipped, so more pages may be needed.
  for (let next = from; ;) {
    const lows = bucket.lows().from(next, limit)
    for (const low of lows) {
      if (low > to) break
      while (item !== undefined && item.low < low && items.length < limit) {
        items.push(item)
        item = below.next()
      }
      if (items.length >= limit) return items
      const value = bucket.nodes.get(low)?.value
      if (value != null) items.push({ low, value })
    }
    next = (lows[lows.length - 1] ?? to) + 1
    if (lows.length < limit || next > to) break
  }
  for (; item !== undefined && items.length < limit; item = below.next()) items.push(item)
  return items
}

/** The index's records that the bucket neither holds nor cleared, in order, fetched in pages. */
class VisibleIndex {
  #page: RecordItem[]
  #at = 0

  constructor(
    readonly bucket: OverlayBucket,
    readonly index: Source,
    readonly kind: number,
    readonly high: number,
    from: number,
    readonly to: number,
    readonly limit: number,
  ) {
    this.#page = index.range(kind, high, from, to, limit)
  }

  next(): RecordItem | undefined {
    for (;;) {
      const item = this.#page[this.#at++]
      if (item === undefined) {
        const last = this.#page[this.#page.length - 1]
        if (last === undefined || this.#page.length < this.limit) return undefined
        this.#fetch(last.low + 1)
        continue
      }
      const range = this.bucket.clearedRange(item.low)
      if (range !== undefined) this.#fetch(range.to + 1)
      else if (!this.bucket.nodes.has(item.low)) return item
    }
  }

  #fetch(from: number): void {
    this.#page = from > this.to ? [] : this.index.range(this.kind, this.high, from, this.to, this.limit)
    this.#at = 0
  }
}

export function mergedFloor(
  bucket: OverlayBucket,
  index: Source,
  kind: number,
  high: number,
  low: number,
): RecordItem | undefined {
  let upper: RecordItem | undefined
  for (let at = bucket.lows().floor(low); at !== undefined && upper === undefined; at = bucket.lows().floor(at - 1)) {
    const value = bucket.nodes.get(at)?.value
    if (value != null) upper = { low: at, value }
  }
  let below = index.floor(kind, high, low)
  while (below !== undefined) {
    if (upper !== undefined && upper.low >= below.low) return upper
    const range = bucket.clearedRange(below.low)
    if (range === undefined && !bucket.nodes.has(below.low)) break
    const before = (range?.from ?? below.low) - 1
    below = before < 0 ? undefined : index.floor(kind, high, before)
  }
  if (upper === undefined) return below
  return below !== undefined && below.low > upper.low ? below : upper
}
