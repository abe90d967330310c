/**
 * Opened bodies, wherever they are: still in the arenas (not yet durable), known from a receipt (not yet in the index), or
 * placed by the index. Keeps a bounded cache.
 */
import { copyOf } from '../bytes/copy.js'
import { LRUCache } from 'lru-cache'
import { byteLength, concatBytes } from '../bytes/concat.js'
import { AteError } from '../error.js'
import type { IndexReader } from '../index/index-reader.js'
import { SHARED_BODY_BYTES } from '../limits.js'
import { GROUP_OVERHEAD_BYTES } from '../log/format/group-header.js'
import type { NumberRange } from '../log/types.js'
import { BODY_PLACE_KIND, type BodiesElsewhere, type BodyPlace, bodyPlaceHigh, decodePlaceOnly } from './body-place.js'
import { BodySet } from './compaction/body-set.js'
import { BodyMemory } from './body-memory.js'
import { KnownPlaces } from './known-places.js'
import { PassingBody } from './passing-body.js'
import type { BodySlice } from './record-view.js'

/**
 * Opens a stored group of content, which is read from the log where it is not given, to `into` (of its length) or to new memory;
 * BODY_DAMAGED when it does not verify.
 */
export type OpenGroup = (place: BodyPlace, into?: Uint8Array, stored?: Uint8Array) => Uint8Array

/** What is kept of opened bodies. */
export interface BodyCacheOptions {
  /** Memory for them. The default is 32 MiB. */
  readonly bytes?: number | undefined
  /** Bodies that are read as a whole are kept, too. Without it, whoever reads all of one keeps it himself: the kernel does. */
  readonly keepsWhole?: boolean
}

const CACHE_BYTES = 32 * 1024 * 1024
/** One body must fit. */
const MIN_CACHE_BYTES = 128 * 1024
/** What a body in the cache takes beside its memory: names of it, an object that views it. */
const ENTRY_BYTES = 256

/** Bodies of this size come from small commits. */
const SMALL_BODY_BYTES = 8192

export class BodyReader {
  readonly #openGroup: OpenGroup
  readonly #index: IndexReader
  /** Nobody outside sees these bytes. */
  readonly #cache: LRUCache<number, Uint8Array>
  readonly #memory = new BodyMemory()
  readonly #passing: PassingBody
  readonly #known = new KnownPlaces()
  readonly #keepsWhole: boolean
  /** Not durable yet: the parts in the arenas. */
  readonly #held = new Map<number, Uint8Array[]>()
  /** Durable, not in the index yet. */
  readonly #placed = new Map<number, BodyPlace>()
  #placedIn: { transaction: number; bodies: number[] }[] = []
  /** Dropped by a batch; the index has not taken that in yet. */
  #droppedIn: { transaction: number; bodies: BodySet }[] = []
  /** Dropped elsewhere, while somebody here reads an older state. */
  #dropped: { areUnread: () => boolean; places: ReadonlyMap<number, BodyPlace> }[] = []

  /** Those that did not come with their batches are had from there. */
  elsewhere: BodiesElsewhere | undefined

  constructor(openGroup: OpenGroup, index: IndexReader, cache: BodyCacheOptions = {}) {
    this.#openGroup = openGroup
    this.#index = index
    this.#keepsWhole = cache.keepsWhole === true
    const maxSize = Math.max(MIN_CACHE_BYTES, cache.bytes ?? CACHE_BYTES)
    this.#cache = new LRUCache({ maxSize, dispose: (content) => this.#memory.giveBack(content) })
    this.#passing = new PassingBody(maxSize)
  }

  /** Memory that the cache takes now. */
  get cachedBytes(): number {
    return this.#cache.calculatedSize
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
    this.#cache.set(body, content, { size: content.buffer.byteLength + ENTRY_BYTES })
  }

  /** The index knows the places of all transactions up to this one. */
  forget(transaction: number): void {
    for (const entry of this.#placedIn) {
      if (entry.transaction > transaction) break
      for (const body of entry.bodies) this.#placed.delete(body)
    }
    this.#placedIn = this.#placedIn.filter((entry) => entry.transaction > transaction)
    this.#droppedIn = this.#droppedIn.filter((entry) => entry.transaction > transaction)
  }

  /** It lies somewhere, and has not been dropped. */
  has(body: number): boolean {
    if (this.#droppedIn.some(({ bodies }) => bodies.has(body))) return false
    return this.#held.has(body) || this.#placed.has(body) || this.#inIndex(body) !== undefined
  }

  /** A batch drops these: until `areUnread` they can be read. The index may not have taken that in before `transaction`. */
  noteDropped(transaction: number, ranges: readonly NumberRange[], areUnread: () => boolean = () => true): void {
    const bodies = new BodySet()
    for (const { from, to } of ranges) for (let body = from; body <= to; body++) bodies.add(body)
    if (ranges.length > 0) this.#droppedIn.push({ transaction, bodies })
    this.#dropped = this.#dropped.filter((kept) => !kept.areUnread())
    if (areUnread()) return
    const places = new Map<number, BodyPlace>()
    for (const { from, to } of ranges)
      for (let body = from; body <= to; body++) {
        const place = this.#placed.get(body) ?? this.#inIndex(body)
        if (place !== undefined) places.set(body, place)
      }
    this.#dropped.push({ areUnread, places })
  }

  /** All of it, the caller's to keep; a promise only where it must be fetched. */
  read(body: number): Uint8Array | Promise<Uint8Array> {
    const held = this.#held.get(body)
    if (held !== undefined) return joined(held)
    const cached = this.#cache.get(body)
    if (cached !== undefined) return copyOf(cached)
    const place = this.#placeOf(body)
    const stored = this.#hadElsewhere(place)
    if (stored instanceof Promise) return stored.then((bytes) => this.#openGroup(place, undefined, bytes))
    return this.#openGroup(place, undefined, stored)
  }

  /**
   * Copies a piece to `target` at `targetStart`; a promise only where it must be fetched. BODY_DAMAGED when the body does not
   * verify or is shorter; what fetching it fails with.
   */
  copy(slice: BodySlice, target: Uint8Array, targetStart: number): Promise<void> | undefined {
    const { body, offset, length } = slice
    const held = this.#held.get(body)
    if (held !== undefined) {
      copyParts(held, offset, length, target, targetStart)
      return undefined
    }
    const known = this.#cache.get(body) ?? this.#passing.get(body)
    if (known !== undefined) {
      copyPiece(known, offset, length, target, targetStart)
      return undefined
    }
    const place = this.#placeOf(body)
    const stored = this.#hadElsewhere(place)
    if (stored instanceof Promise)
      return stored.then((bytes) => this.#copyOpened(place, slice, target, targetStart, bytes))
    this.#copyOpened(place, slice, target, targetStart, stored)
    return undefined
  }

  #copyOpened(
    place: BodyPlace,
    { body, offset, length }: BodySlice,
    target: Uint8Array,
    targetStart: number,
    stored: Uint8Array | undefined,
  ): void {
    const bodyBytes = place.storedBytes - GROUP_OVERHEAD_BYTES
    if (offset === 0 && length === bodyBytes && !this.#keepsWhole) {
      const into = target.subarray(targetStart, targetStart + length)
      const opened = this.#openGroup(place, into, stored)
      if (opened !== into) into.set(opened)
      return
    }
    if (this.#isPassing(body, bodyBytes)) {
      const opened = this.#passing.open(body, bodyBytes, (into) => this.#openGroup(place, into, stored))
      copyPiece(opened, offset, length, target, targetStart)
      return
    }
    const opened = this.#openGroup(place, this.#memory.take(bodyBytes), stored)
    // Before the cache may give its memory to others.
    copyPiece(opened, offset, length, target, targetStart)
    this.#cache.set(body, opened, { size: opened.buffer.byteLength + ENTRY_BYTES })
  }

  /** A small body for which others would have to leave, and which nobody has asked for lately. */
  #isPassing(body: number, bodyBytes: number): boolean {
    const isFull = this.#cache.calculatedSize + SHARED_BODY_BYTES + ENTRY_BYTES > this.#cache.maxSize
    return isFull && bodyBytes <= SHARED_BODY_BYTES && !this.#passing.wasOpened(body)
  }

  /** Undefined: it is in the log. */
  #hadElsewhere(place: BodyPlace): Uint8Array | Promise<Uint8Array> | undefined {
    const { elsewhere } = this
    if (elsewhere === undefined || place.random !== 0) return undefined
    return elsewhere.here(place.body) ?? elsewhere.fetch(place)
  }

  #placeOf(body: number): BodyPlace {
    const place = this.#placed.get(body) ?? this.#indexed(body)
    if (place !== undefined) return place
    for (const { places } of this.#dropped) {
      const dropped = places.get(body)
      if (dropped !== undefined) return dropped
    }
    throw new AteError('BODY_DAMAGED', `body ${body} is referred to but not in the log`)
  }

  #indexed(body: number): BodyPlace | undefined {
    const known = this.#known.get(body)
    if (known !== undefined) return known
    const place = this.#inIndex(body)
    if (place !== undefined) this.#known.note(place)
    return place
  }

  #inIndex(body: number): BodyPlace | undefined {
    const record = this.#index.get(BODY_PLACE_KIND, bodyPlaceHigh(body), body)
    return record === undefined ? undefined : decodePlaceOnly(body, record)
  }
}

function copyPiece(whole: Uint8Array, offset: number, length: number, target: Uint8Array, targetStart: number): void {
  if (offset + length > whole.length) throw beyondBody()
  target.set(whole.subarray(offset, offset + length), targetStart)
}

function copyParts(
  parts: readonly Uint8Array[],
  offset: number,
  length: number,
  target: Uint8Array,
  targetStart: number,
): void {
  let at = targetStart
  let skipped = offset
  const end = targetStart + length
  for (const part of parts) {
    if (at === end) return
    const taken = Math.min(part.length - skipped, end - at)
    if (taken > 0) {
      target.set(part.subarray(skipped, skipped + taken), at)
      at += taken
    }
    skipped = Math.max(0, skipped - part.length)
  }
  if (at < end) throw beyondBody()
}

function beyondBody(): AteError {
  return new AteError('BODY_DAMAGED', 'an extent lies beyond its body')
}

/** A copy: the arenas are reused once the body is durable, and what was returned may be read longer. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...parts)
}
