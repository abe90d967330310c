/**
 * What is known of the leaves of a store, in the order of their keys: where each begins, so that a record's leaf is found
 * without asking the store, and the content of those that were opened lately.
 */
import { recordStarts } from './leaf.js'
import { LeafMemory } from './leaf-memory.js'
import { CachedLeaf, LeafOrder } from './leaf-order.js'
import { PackedLeaf } from './packed-leaf.js'
import { decodeKey, type RecordKey } from './record-key.js'

/** When there are more, all are forgotten: some 200 bytes each without content. */
const MAX_KNOWN_LEAVES = 65_536

export class LeafCache {
  readonly #memory: LeafMemory<CachedLeaf>
  readonly #leaves = new LeafOrder()

  /** `maxBytes`: of opened leaves. */
  constructor(maxBytes: number) {
    this.#memory = new LeafMemory(maxBytes, (cached) => (cached.leaf = undefined))
  }

  /** The leaf that covers the key: it begins at or before it, and what is known to follow it begins behind. */
  covering(kind: number, high: number, low: number): CachedLeaf | undefined {
    const above = this.#leaves.firstAbove(kind, high, low)
    const leaf = this.#leaves.at(above - 1)
    const next = leaf?.next
    return next !== undefined && next === (this.#leaves.at(above) ?? null) ? leaf : undefined
  }

  /** Takes in that leaves with these keys follow each other, `isEnd`: and nothing after them. Returns the first. */
  learn(storeKeys: readonly Uint8Array[], isEnd: boolean): CachedLeaf | undefined {
    if (this.#leaves.length + storeKeys.length > MAX_KNOWN_LEAVES) this.clear()
    const run: CachedLeaf[] = []
    let from = 0
    let to = 0
    for (const storeKey of storeKeys) {
      const { kind, high, low } = decodeKey(storeKey)
      to = this.#leaves.firstAbove(kind, high, low)
      const known = this.#leaves.at(to - 1)
      const leaf = known?.compare(kind, high, low) === 0 ? known : new CachedLeaf(storeKey)
      const previous = run[run.length - 1]
      if (previous === undefined) from = leaf === known ? to - 1 : to
      else previous.next = leaf
      run.push(leaf)
    }
    const last = run[run.length - 1]
    if (last !== undefined && isEnd) last.next = null
    this.#leaves.replace(from, to, run)
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
    const at = this.#leaves.firstAbove(kind, high, low) - 1
    const cached = this.#leaves.at(at)
    if (cached === undefined) return
    cached.next = undefined
    if (cached.compare(kind, high, low) !== 0) return
    this.#leaves.replace(at, at + 1, [])
    const before = this.#leaves.at(at - 1)
    if (before !== undefined) before.next = undefined
  }

  clear(): void {
    this.#leaves.clear()
  }
}
