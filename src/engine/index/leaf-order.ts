/** Leaves of a store in the order of their keys. */
import type { PackedLeaf } from './packed-leaf.js'
import { decodeKey } from './record-key.js'

const FIRST_CAPACITY = 256

export class CachedLeaf {
  /** Undefined: not opened, or too long ago. */
  leaf: PackedLeaf | undefined = undefined
  /** The leaf after it; null at the end, undefined when not known. */
  next: CachedLeaf | null | undefined = undefined
  readonly kind: number
  readonly high: number
  readonly low: number

  constructor(readonly storeKey: Uint8Array) {
    const { kind, high, low } = decodeKey(storeKey)
    this.kind = kind
    this.high = high
    this.low = low
  }

  /** Below 0 where it begins before the key, above 0 where behind it. */
  compare(kind: number, high: number, low: number): number {
    return this.kind - kind || this.high - high || this.low - low
  }

  /** As far as is known: what is not is asked of the store. */
  covers(kind: number, high: number, low: number): boolean {
    const { next } = this
    if (next === undefined || this.compare(kind, high, low) > 0) return false
    return next === null || next.compare(kind, high, low) > 0
  }
}

/**
 * Beside each leaf stand the numbers of its key: a search among tens of thousands of leaves looks at numbers that lie together, and
 * at no leaf.
 */
export class LeafOrder {
  readonly #leaves: CachedLeaf[] = []
  #kinds = new Uint8Array(FIRST_CAPACITY)
  #highs = new Float64Array(FIRST_CAPACITY)
  #lows = new Float64Array(FIRST_CAPACITY)

  get length(): number {
    return this.#leaves.length
  }

  at(position: number): CachedLeaf | undefined {
    return position < 0 ? undefined : this.#leaves[position]
  }

  /** Position of the first leaf that begins behind the key. */
  firstAbove(kind: number, high: number, low: number): number {
    let from = 0
    let to = this.#leaves.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#isAbove(middle, kind, high, low)) to = middle
      else from = middle + 1
    }
    return from
  }

  /** Puts `run`, which is in order and belongs there, in the place of the leaves from `from` to before `to`. */
  replace(from: number, to: number, run: readonly CachedLeaf[]): void {
    const { length } = this.#leaves
    this.#makeRoom(length - (to - from) + run.length)
    for (const numbers of [this.#kinds, this.#highs, this.#lows]) numbers.copyWithin(from + run.length, to, length)
    run.forEach(({ kind, high, low }, i) => {
      this.#kinds[from + i] = kind
      this.#highs[from + i] = high
      this.#lows[from + i] = low
    })
    this.#leaves.splice(from, to - from, ...run)
  }

  clear(): void {
    this.#leaves.length = 0
  }

  #isAbove(position: number, kind: number, high: number, low: number): boolean {
    const itsKind = this.#kinds[position] ?? 0
    if (itsKind !== kind) return itsKind > kind
    const itsHigh = this.#highs[position] ?? 0
    if (itsHigh !== high) return itsHigh > high
    return (this.#lows[position] ?? 0) > low
  }

  #makeRoom(length: number): void {
    if (length <= this.#highs.length) return
    const [kinds, highs, lows] = [this.#kinds, this.#highs, this.#lows]
    this.#kinds = new Uint8Array(length * 2)
    this.#kinds.set(kinds)
    this.#highs = new Float64Array(length * 2)
    this.#highs.set(highs)
    this.#lows = new Float64Array(length * 2)
    this.#lows.set(lows)
  }
}
