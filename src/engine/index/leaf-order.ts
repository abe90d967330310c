/** Leaves of a store in the order of their keys. */
import type { PackedLeaf } from './packed-leaf.js'
import { decodeKey, MAX_KEY_PART } from './record-key.js'

export class CachedLeaf {
  /** Undefined: not opened, or too long ago. */
  leaf: PackedLeaf | undefined = undefined
  /** The leaf after it; null at the end, undefined when not known. */
  next: CachedLeaf | null | undefined = undefined
  readonly #kind: number
  readonly #high: number
  readonly #low: number

  constructor(readonly storeKey: Uint8Array) {
    const { kind, high, low } = decodeKey(storeKey)
    this.#kind = kind
    this.#high = high
    this.#low = low
  }

  get rank(): number {
    return rankOf(this.#kind, this.#high)
  }

  /** Below 0 where it begins before the key, above 0 where behind it. */
  compare(kind: number, high: number, low: number): number {
    return this.#kind - kind || this.#high - high || this.#low - low
  }

  /** As far as is known: what is not is asked of the store. */
  covers(kind: number, high: number, low: number): boolean {
    const { next } = this
    if (next === undefined || this.compare(kind, high, low) > 0) return false
    return next === null || next.compare(kind, high, low) > 0
  }
}

/**
 * Beside each leaf stands its rank, a number that never falls where keys rise: a search among tens of thousands of leaves looks
 * at numbers that lie together, and at leaves only where the rank is that of the key.
 */
export class LeafOrder {
  readonly #leaves: CachedLeaf[] = []
  #ranks = new Float64Array(256)

  get length(): number {
    return this.#leaves.length
  }

  at(position: number): CachedLeaf | undefined {
    return position < 0 ? undefined : this.#leaves[position]
  }

  /** Position of the first leaf that begins behind the key. */
  firstAbove(kind: number, high: number, low: number): number {
    const rank = rankOf(kind, high)
    let from = 0
    let to = this.#leaves.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const its = this.#ranks[middle] ?? 0
      const isAbove = its === rank ? (this.#leaves[middle]?.compare(kind, high, low) ?? 1) > 0 : its > rank
      if (isAbove) to = middle
      else from = middle + 1
    }
    return from
  }

  /** Puts `run`, which is in order and belongs there, in the place of the leaves from `from` to before `to`. */
  replace(from: number, to: number, run: readonly CachedLeaf[]): void {
    const length = this.#leaves.length - (to - from) + run.length
    if (length > this.#ranks.length) {
      const larger = new Float64Array(length * 2)
      larger.set(this.#ranks)
      this.#ranks = larger
    }
    this.#ranks.copyWithin(from + run.length, to, this.#leaves.length)
    run.forEach((leaf, i) => (this.#ranks[from + i] = leaf.rank))
    this.#leaves.splice(from, to - from, ...run)
  }

  clear(): void {
    this.#leaves.length = 0
  }
}

/** Rounded, hence not always greater for a greater high, but never less. */
function rankOf(kind: number, high: number): number {
  return kind * (MAX_KEY_PART + 1) + high
}
