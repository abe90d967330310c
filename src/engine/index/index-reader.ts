/**
 * Reads records from the sealed leaves of a store, with a bounded cache of opened leaves.
 *
 * A leaf covers the keys from its own store key up to the next leaf's. What is newer than the store lives in the overlay,
 * so the cache needs to follow the store only when the overlay is about to forget something: at `refresh`.
 */
import { AteError } from '../error.js'
import type { RecordItem } from './record-item.js'
import { LeafCache, type CachedLeaf } from './leaf-cache.js'
import type { LeafSeal } from './leaf-seal.js'
import type { OrderedStore } from './ordered-store.js'
import { PackedLeaf } from './packed-leaf.js'
import { compareKeys, encodeKey, decodeKey, RECORD_KEY_BYTES, type RecordKey } from './record-key.js'

/** Opened leaves kept: some 5 KiB each. */
const CACHED_LEAVES = 8192
const FIRST_LEAF = encodeKey(0, 0, 0)

export class IndexReader {
  readonly #store: OrderedStore
  readonly #seal: LeafSeal
  readonly #cache = new LeafCache(CACHED_LEAVES)
  /** The leaf of the last answer: neighbours are usually asked for next. */
  #last: CachedLeaf | undefined

  constructor(store: OrderedStore, seal: LeafSeal) {
    this.#store = store
    this.#seal = seal
  }

  /** Sees what the store's writer has written: to the leaves with these keys, or to any. */
  refresh(changed?: readonly RecordKey[]): void {
    this.#store.refresh()
    this.#last = undefined
    if (changed === undefined) this.#cache.clear()
    else for (const key of changed) this.#cache.forget(key)
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    const leaf = this.#leafFor(kind, high, low)?.leaf
    if (leaf === undefined) return undefined
    const position = leaf.lowerBound(kind, high, low)
    return leaf.isOf(position, kind, high) && leaf.lowAt(position) === low ? leaf.valueAt(position) : undefined
  }

  /** Records of (kind, high) with from <= low <= to, ascending, at most `limit`. */
  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    const items: RecordItem[] = []
    let cached = this.#leafFor(kind, high, from) ?? this.#firstLeaf()
    let position = cached?.leaf.lowerBound(kind, high, from) ?? 0
    while (cached !== undefined) {
      const { leaf } = cached
      for (; position < leaf.length; position++) {
        if (!leaf.isOf(position, kind, high) || leaf.lowAt(position) > to || items.length >= limit) return items
        items.push({ low: leaf.lowAt(position), value: leaf.valueAt(position) })
      }
      cached = this.#leafAfter(cached)
      position = 0
    }
    return items
  }

  /** The record of (kind, high) with the greatest low <= `low`. */
  floor(kind: number, high: number, low: number): RecordItem | undefined {
    let cached = this.#leafFor(kind, high, low)
    while (cached !== undefined) {
      const { leaf, storeKey } = cached
      let position = leaf.lowerBound(kind, high, low)
      if (!leaf.isOf(position, kind, high) || leaf.lowAt(position) !== low) position--
      if (position >= 0) {
        if (!leaf.isOf(position, kind, high)) return undefined
        return { low: leaf.lowAt(position), value: leaf.valueAt(position) }
      }
      // The leaf holds nothing before the key: what precedes it lies in the leaf before.
      cached = this.#leafBefore(storeKey)
    }
    return undefined
  }

  #leafFor(kind: number, high: number, low: number): CachedLeaf | undefined {
    const last = this.#last
    if (last !== undefined && this.#covers(last, kind, high, low)) return last
    let cached = this.#cache.floor(kind, high, low)
    if (cached === undefined || !this.#covers(cached, kind, high, low)) {
      const storeKey = this.#store.floor(encodeKey(kind, high, low))
      const leaf = storeKey === undefined ? undefined : this.#open(storeKey)
      // Asked for again, further on: more of it will be, so that its end is worth a look.
      if (leaf !== undefined && leaf === cached) this.#nextOf(leaf)
      else if (leaf !== undefined) extend(leaf, kind, high, low)
      cached = leaf
    }
    if (cached !== undefined) this.#last = cached
    return cached
  }

  /** Nothing before it has a leaf: what lay there was deleted. */
  #firstLeaf(): CachedLeaf | undefined {
    const storeKey = this.#store.after(FIRST_LEAF)
    return storeKey?.length === RECORD_KEY_BYTES ? this.#open(storeKey) : undefined
  }

  #leafAfter(cached: CachedLeaf): CachedLeaf | undefined {
    const next = this.#nextOf(cached)
    return next === null ? undefined : this.#open(encodeKey(next.kind, next.high, next.low))
  }

  #leafBefore(storeKey: Uint8Array): CachedLeaf | undefined {
    const previous = this.#store.before(storeKey)
    return previous === undefined ? undefined : this.#open(previous)
  }

  /** As far as is known: what is not is asked of the store, which tells it with the leaf that does. */
  #covers(cached: CachedLeaf, kind: number, high: number, low: number): boolean {
    if (compareKeys(cached, kind, high, low) > 0) return false
    const { next, coversTo } = cached
    if (next !== undefined) return next === null || compareKeys(next, kind, high, low) > 0
    return coversTo !== undefined && compareKeys(coversTo, kind, high, low) >= 0
  }

  #nextOf(cached: CachedLeaf): RecordKey | null {
    if (cached.next === undefined) {
      const next = this.#store.after(cached.storeKey)
      cached.next = next?.length === RECORD_KEY_BYTES ? decodeKey(next) : null
    }
    return cached.next
  }

  #open(storeKey: Uint8Array): CachedLeaf {
    const { kind, high, low } = decodeKey(storeKey)
    const known = this.#cache.floor(kind, high, low)
    if (known !== undefined && compareKeys(known, kind, high, low) === 0) return known
    const stored = this.#store.get(storeKey)
    if (stored === undefined || storeKey.length !== RECORD_KEY_BYTES) {
      throw new AteError('BODY_DAMAGED', 'index: a leaf is missing')
    }
    const leaf = new PackedLeaf(this.#seal.openOrThrow(storeKey, stored))
    const cached: CachedLeaf = { kind, high, low, storeKey, leaf, next: undefined, coversTo: undefined, usedAt: 0 }
    this.#cache.add(cached)
    return cached
  }
}

function extend(cached: CachedLeaf, kind: number, high: number, low: number): void {
  const { coversTo } = cached
  if (coversTo === undefined || compareKeys(coversTo, kind, high, low) < 0) cached.coversTo = { kind, high, low }
}
