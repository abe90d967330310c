/**
 * What is known of the leaves of a store, in the order of their keys: where each begins, so that a record's leaf is found
 * without asking the store, and the content of those that were opened lately.
 */
import { recordStarts } from './leaf.js'
import { LeafMemory } from './leaf-memory.js'
import { PackedLeaf } from './packed-leaf.js'
import { decodeKey, type RecordKey } from './record-key.js'

/** When there are more, all are forgotten: some 200 bytes each without content. */
const MAX_KNOWN_LEAVES = 65_536

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

export class LeafCache {
  readonly #memory: LeafMemory<CachedLeaf>
  #leaves: CachedLeaf[] = []

  /** `maxBytes`: of opened leaves. */
  constructor(maxBytes: number) {
    this.#memory = new LeafMemory(maxBytes, (cached) => (cached.leaf = undefined))
  }

  /** The known leaf with the greatest key <= the given one: it covers the key if its `next` lies above. */
  floor(kind: number, high: number, low: number): CachedLeaf | undefined {
    return this.#leaves[this.#firstAbove(kind, high, low) - 1]
  }

  /** Takes in that leaves with these keys follow each other, `isEnd`: and nothing after them. Returns the first. */
  learn(storeKeys: readonly Uint8Array[], isEnd: boolean): CachedLeaf | undefined {
    if (this.#leaves.length + storeKeys.length > MAX_KNOWN_LEAVES) this.clear()
    const run: CachedLeaf[] = []
    let from = 0
    let to = 0
    for (const storeKey of storeKeys) {
      const { kind, high, low } = decodeKey(storeKey)
      to = this.#firstAbove(kind, high, low)
      const known = this.#leaves[to - 1]
      const leaf = known?.compare(kind, high, low) === 0 ? known : new CachedLeaf(storeKey)
      const previous = run[run.length - 1]
      if (previous === undefined) from = leaf === known ? to - 1 : to
      else previous.next = leaf
      run.push(leaf)
    }
    const last = run[run.length - 1]
    if (last !== undefined && isEnd) last.next = null
    this.#leaves.splice(from, to - from, ...run)
    return run[0]
  }

  /** The content of a leaf: `bytes` bytes that `read` writes. Throws what that throws, and BAD_FORMAT. */
  open(cached: CachedLeaf, bytes: number, read: (target: Uint8Array) => void): PackedLeaf {
    const content = this.#memory.take(bytes, cached)
    read(content)
    const starts = recordStarts(content)
    const kept = this.#memory.take(starts.length * Uint32Array.BYTES_PER_ELEMENT, cached)
    const packed = new Uint32Array(kept.buffer, kept.byteOffset, starts.length)
    packed.set(starts)
    return (cached.leaf = new PackedLeaf(content, packed))
  }

  /** The leaf that begins here was written, split or deleted, or is new: what is known of it and its neighbour is old. */
  forget({ kind, high, low }: RecordKey): void {
    const at = this.#firstAbove(kind, high, low) - 1
    const cached = this.#leaves[at]
    if (cached === undefined) return
    cached.next = undefined
    if (cached.compare(kind, high, low) !== 0) return
    this.#leaves.splice(at, 1)
    const before = this.#leaves[at - 1]
    if (before !== undefined) before.next = undefined
  }

  clear(): void {
    this.#leaves = []
  }

  #firstAbove(kind: number, high: number, low: number): number {
    let from = 0
    let to = this.#leaves.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const leaf = this.#leaves[middle]
      if (leaf !== undefined && leaf.compare(kind, high, low) <= 0) from = middle + 1
      else to = middle
    }
    return from
  }
}
