/**
 * Reads records from the sealed leaves of a store, with a bounded cache of opened leaves.
 *
 * A leaf covers the keys from its own store key up to the next leaf's. What is newer than the store lives in the overlay,
 * so the cache needs to follow the store only when the overlay is about to forget something: at `refresh`.
 */
import { Slab } from '../bytes/slab.js'
import { AteError } from '../error.js'
import type { RecordItem } from './record-item.js'
import { FIRST_LEAF, leafKeys } from './leaf-keys.js'
import { decodeLeaf, type LeafRecord } from './leaf.js'
import { LeafCache } from './leaf-cache.js'
import type { CachedLeaf } from './leaf-order.js'
import { SEAL_OVERHEAD_BYTES, type LeafSeal } from './leaf-seal.js'
import type { OrderedStore } from './ordered-store.js'
import type { PackedLeaf } from './packed-leaf.js'
import { encodeKey, RECORD_KEY_BYTES, type RecordKey } from './record-key.js'

/** Of opened leaves, some 3 KiB each. */
const CACHE_BYTES = 24 * 1024 * 1024
/** Leaves asked for at once when it is not known where they begin. */
const LEARNED_LEAVES = 32

export class IndexReader {
  readonly #store: OrderedStore
  readonly #seal: LeafSeal
  readonly #cache: LeafCache
  readonly #values = new Slab()
  /** The leaf of the last answer: neighbours are usually asked for next. */
  #last: CachedLeaf | undefined

  constructor(store: OrderedStore, seal: LeafSeal, cacheBytes = CACHE_BYTES) {
    this.#store = store
    this.#seal = seal
    this.#cache = new LeafCache(cacheBytes)
  }

  /** Sees what the store's writer has written: to the leaves with these keys, or to any. */
  refresh(changed?: readonly RecordKey[]): void {
    this.#store.refresh()
    this.#last = undefined
    if (changed === undefined) this.#cache.clear()
    else for (const key of changed) this.#cache.forget(key)
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    const leaf = this.#leafFor(kind, high, low)
    if (leaf === undefined) return undefined
    const position = leaf.lowerBound(kind, high, low)
    return leaf.isOf(position, kind, high) && leaf.lowAt(position) === low ? this.#value(leaf, position) : undefined
  }

  /** Records of (kind, high) with from <= low <= to, ascending, at most `limit`. */
  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const items: RecordItem[] = []
    let cached = this.#find(kind, high, from) ?? this.#firstLeaf()
    for (let isFirst = true; cached !== undefined; isFirst = false) {
      const leaf = this.#opened(cached)
      for (let at = isFirst ? leaf.lowerBound(kind, high, from) : 0; at < leaf.length; at++) {
        if (!leaf.isOf(at, kind, high) || leaf.lowAt(at) > to || items.length >= limit) return items
        items.push({ low: leaf.lowAt(at), value: this.#value(leaf, at) })
      }
      cached = this.#after(cached)
    }
    return items
  }

  /** The record of (kind, high) with the greatest low <= `low`. */
  floor(kind: number, high: number, low: number): RecordItem | undefined {
    let cached = this.#find(kind, high, low)
    while (cached !== undefined) {
      const leaf = this.#opened(cached)
      let position = leaf.lowerBound(kind, high, low)
      if (!leaf.isOf(position, kind, high) || leaf.lowAt(position) !== low) position--
      if (position >= 0) {
        if (!leaf.isOf(position, kind, high)) return undefined
        return { low: leaf.lowAt(position), value: this.#value(leaf, position) }
      }
      // The leaf holds nothing before the key: what precedes it lies in the leaf before.
      const before = this.#store.before(cached.storeKey)
      cached = before === undefined ? undefined : this.#learn(before)
    }
    return undefined
  }

  /** All records of that kind and of greater ones; nothing may change before the last. BODY_DAMAGED. */
  *recordsFrom(kind: number): Generator<LeafRecord> {
    for (const key of leafKeys(this.#store, this.#store.floor(encodeKey(kind, 0, 0)))) {
      const stored = this.#store.get(key)
      if (stored === undefined) throw new AteError('BODY_DAMAGED', 'index: a leaf is missing')
      for (const record of decodeLeaf(this.#seal.openOrThrow(key, stored))) if (record.kind >= kind) yield record
    }
  }

  /** A copy: the leaf's memory is used again for others. */
  #value(leaf: PackedLeaf, position: number): Uint8Array {
    const value = leaf.valueAt(position)
    const copy = this.#values.take(value.length)
    copy.set(value)
    return copy
  }

  #leafFor(kind: number, high: number, low: number): PackedLeaf | undefined {
    const cached = this.#find(kind, high, low)
    return cached === undefined ? undefined : this.#opened(cached)
  }

  /** The leaf that covers the key. */
  #find(kind: number, high: number, low: number): CachedLeaf | undefined {
    const last = this.#last
    if (last?.covers(kind, high, low) === true) return last
    let cached = this.#cache.covering(kind, high, low)
    if (cached === undefined) {
      const storeKey = this.#store.floor(encodeKey(kind, high, low))
      cached = storeKey === undefined ? undefined : this.#learn(storeKey)
    }
    if (cached !== undefined) this.#last = cached
    return cached
  }

  /** Nothing before it has a leaf: what lay there was deleted. */
  #firstLeaf(): CachedLeaf | undefined {
    const storeKey = this.#store.after(FIRST_LEAF)
    return storeKey?.length === RECORD_KEY_BYTES ? this.#learn(storeKey) : undefined
  }

  #after(cached: CachedLeaf): CachedLeaf | undefined {
    const next = cached.next === undefined ? this.#learn(cached.storeKey)?.next : cached.next
    return next ?? undefined
  }

  /** Asks the store for the leaves that follow this one: they will be wanted, and cost little more than the first. */
  #learn(storeKey: Uint8Array): CachedLeaf | undefined {
    const following = this.#store.keysAfter(storeKey, LEARNED_LEAVES)
    const leaves = following.filter((key) => key.length === RECORD_KEY_BYTES)
    return this.#cache.learn([storeKey, ...leaves], leaves.length < LEARNED_LEAVES)
  }

  #opened(cached: CachedLeaf): PackedLeaf {
    if (cached.leaf !== undefined) return cached.leaf
    const { storeKey } = cached
    const stored = this.#store.borrow(storeKey)
    if (stored === undefined) throw new AteError('BODY_DAMAGED', 'index: a leaf is missing')
    const length = Math.max(0, stored.length - SEAL_OVERHEAD_BYTES)
    return this.#cache.open(cached, length, (content) => this.#seal.openOrThrow(storeKey, stored, content))
  }
}
