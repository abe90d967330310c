/**
 * Opened leaves in the order of their keys, so that a record's leaf is found without asking the store. Bounded: when full,
 * the quarter that was used longest ago goes.
 */
import type { PackedLeaf } from './packed-leaf.js'
import { compareKeys, type RecordKey } from './record-key.js'

export interface CachedLeaf extends RecordKey {
  storeKey: Uint8Array
  leaf: PackedLeaf
  /** Where the next leaf begins: a key, null at the end, undefined when not looked up yet. */
  next: RecordKey | null | undefined
  /** The greatest key it was found to cover, when that is all that is known. */
  coversTo: RecordKey | undefined
  usedAt: number
}

export class LeafCache {
  readonly #capacity: number
  #leaves: CachedLeaf[] = []
  #clock = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The cached leaf with the greatest key <= the given one: it covers the key if its `next` lies above. */
  floor(kind: number, high: number, low: number): CachedLeaf | undefined {
    const found = this.#leaves[this.#firstAbove(kind, high, low) - 1]
    if (found !== undefined) found.usedAt = ++this.#clock
    return found
  }

  add(leaf: CachedLeaf): void {
    if (this.#leaves.length >= this.#capacity) this.#evict()
    leaf.usedAt = ++this.#clock
    this.#leaves.splice(this.#firstAbove(leaf.kind, leaf.high, leaf.low), 0, leaf)
  }

  /** The leaf that begins here was written, split or deleted, or is new: what is known of it and its neighbour is old. */
  forget({ kind, high, low }: RecordKey): void {
    const at = this.#firstAbove(kind, high, low) - 1
    const leaf = this.#leaves[at]
    if (leaf === undefined) return
    leaf.next = undefined
    leaf.coversTo = undefined
    if (compareKeys(leaf, kind, high, low) !== 0) return
    this.#leaves.splice(at, 1)
    const before = this.#leaves[at - 1]
    if (before !== undefined) before.next = undefined
  }

  clear(): void {
    this.#leaves = []
  }

  #evict(): void {
    const ages = this.#leaves.map((leaf) => leaf.usedAt).sort((a, b) => a - b)
    const oldest = ages[this.#capacity >>> 2] ?? 0
    this.#leaves = this.#leaves.filter((leaf) => leaf.usedAt > oldest)
  }

  #firstAbove(kind: number, high: number, low: number): number {
    let from = 0
    let to = this.#leaves.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const leaf = this.#leaves[middle]
      if (leaf !== undefined && compareKeys(leaf, kind, high, low) <= 0) from = middle + 1
      else to = middle
    }
    return from
  }
}
