/** Reads one (kind, high) as the overlay's bucket over the index: what the bucket knows, and what it cleared, wins. */
import type { IndexReader } from '../index/index-reader.js'
import type { OverlayBucket } from './overlay.js'
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
  const lows = bucket.sortedLows()
  const below = new VisibleIndex(bucket, index, kind, high, from, to, limit)
  let item = below.next()
  for (let at = lowerBound(lows, from); items.length < limit; at++) {
    const low = lows[at]
    const isInRange = low !== undefined && low <= to
    while (item !== undefined && items.length < limit && !(isInRange && low < item.low)) {
      items.push(item)
      item = below.next()
    }
    if (!isInRange || items.length >= limit) break
    // The sorted list may name nodes that are gone.
    const value = bucket.nodes.get(low)?.value
    if (value != null) items.push({ low, value })
  }
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
  const lows = bucket.sortedLows()
  let at = lowerBound(lows, low + 1) - 1
  let upper: RecordItem | undefined
  for (; at >= 0 && upper === undefined; at--) {
    const value = bucket.nodes.get(lows[at] ?? -1)?.value
    if (value != null) upper = { low: lows[at] ?? 0, value }
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

/** Position of the first value >= `low`. */
function lowerBound(lows: readonly number[], low: number): number {
  let from = 0
  let to = lows.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((lows[middle] ?? 0) < low) from = middle + 1
    else to = middle
  }
  return from
}
