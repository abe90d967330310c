/**
 * Opened bodies, wherever they are: still in the arenas (not yet durable), known from a receipt (not yet in the index), or
 * placed by the index. Keeps a bounded cache.
 */
import type { LRUCache } from 'lru-cache'
import { byteLength, concatBytes } from '../bytes/concat.js'
import { AteError } from '../error.js'
import type { IndexReader } from '../index/index-reader.js'
import { BODY_PLACE_KIND, bodyPlaceHigh, decodeBodyPlace } from './body-place.js'
import type { BodyPlace } from './committer.js'

/** Reads and opens a stored group of content; BODY_DAMAGED when it does not verify. */
export type OpenGroup = (place: BodyPlace) => Uint8Array

/** Bodies of this size come from small commits. */
const SMALL_BODY_BYTES = 8192

export class BodyReader {
  readonly #openGroup: OpenGroup
  readonly #index: IndexReader
  readonly #cache: LRUCache<number, Uint8Array>
  /** Not durable yet: the parts in the arenas. */
  readonly #held = new Map<number, Uint8Array[]>()
  /** Durable, not in the index yet. */
  readonly #placed = new Map<number, BodyPlace>()
  #placedIn: { transaction: number; bodies: number[] }[] = []

  constructor(openGroup: OpenGroup, index: IndexReader, cache: LRUCache<number, Uint8Array>) {
    this.#openGroup = openGroup
    this.#index = index
    this.#cache = cache
  }

  /** `parts` may still grow. */
  hold(body: number, parts: Uint8Array[]): void {
    this.#held.set(body, parts)
  }

  placed(transaction: number, places: readonly BodyPlace[]): void {
    for (const place of places) {
      this.#placed.set(place.body, place)
      this.#keepSmall(place.body)
      this.#held.delete(place.body)
    }
    this.#placedIn.push({ transaction, bodies: places.map((place) => place.body) })
  }

  /** What an append and fsync wrote is part of what the next one writes: it need not be read back for that. */
  #keepSmall(body: number): void {
    const parts = this.#held.get(body)
    if (parts === undefined || byteLength(parts) > SMALL_BODY_BYTES) return
    const content = joined(parts)
    this.#cache.set(body, content, { size: content.length + 1 })
  }

  /** The index knows the places of all transactions up to this one. */
  forget(transaction: number): void {
    for (const entry of this.#placedIn) {
      if (entry.transaction > transaction) break
      for (const body of entry.bodies) this.#placed.delete(body)
    }
    this.#placedIn = this.#placedIn.filter((entry) => entry.transaction > transaction)
  }

  read(body: number): Uint8Array {
    const cached = this.#cache.get(body)
    if (cached !== undefined) return cached
    const held = this.#held.get(body)
    if (held !== undefined) return joined(held)
    const opened = this.#openGroup(this.#placed.get(body) ?? this.#placeFromIndex(body))
    this.#cache.set(body, opened, { size: opened.length + 1 })
    return opened
  }

  #placeFromIndex(body: number): BodyPlace {
    const record = this.#index.get(BODY_PLACE_KIND, bodyPlaceHigh(body), body)
    if (record === undefined) throw new AteError('BODY_DAMAGED', `body ${body} is referred to but not in the log`)
    return decodeBodyPlace(body, record)
  }
}

/** A copy: the arenas are reused once the body is durable, and what was returned may be read longer. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...parts)
}
