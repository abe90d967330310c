/**
 * Where children lie in the collections that a transaction changes. Appending does not look at what else is appended
 * meanwhile: the places are settled when the transaction is committed, so that concurrent appends never conflict.
 */
import { AteError } from '../error.js'
import type { RecordReader } from '../transaction/record-reader.js'
import type { RecordTransaction } from '../transaction/record-transaction.js'
import { MAX_PLACE, PLACE_STEP } from './collection.js'
import { type Child, decodeChildren, encodeChildren } from './collection-record.js'
import { CHILD_KIND } from './kinds.js'
import { isSameKey, type KeyParts } from './object-key.js'

/** In the middle, so that there is room on both sides. */
const FIRST_PLACE = 2 ** 52

interface Appended {
  readonly key: KeyParts
  place: number
}

export class Placement {
  readonly #transaction: RecordTransaction
  readonly #appended = new Map<number, Appended[]>()
  /** Places where something was appended and taken away again: what is there is not this transaction's. */
  readonly #vacated = new Map<number, Set<number>>()

  constructor(transaction: RecordTransaction) {
    this.#transaction = transaction
  }

  /** Puts a child behind all others; returns its place, which may be another one when it is committed. */
  append(collection: number, key: KeyParts): number {
    const appended = this.#appended.get(collection) ?? []
    const last = appended[appended.length - 1]?.place
    let place = nextPlace(last ?? lastPlace(this.#transaction.unwatched, collection))
    // One that this transaction has emptied stays so: at the commit it must be told from one that others have taken.
    while (this.#transaction.staged(CHILD_KIND, collection, place) !== undefined) place = nextPlace(place)
    appended.push({ key, place })
    this.#appended.set(collection, appended)
    this.#put(collection, place, [{ name: '', key }])
    return place
  }

  /** Puts a child between two places. Undefined: there is no room between them. */
  insert(collection: number, key: KeyParts, after: number | undefined, before: number): number | undefined {
    const place = after === undefined ? before - PLACE_STEP : Math.floor((after + before) / 2)
    if (place < 0 || place === after) return undefined
    this.#vacated.get(collection)?.delete(place)
    this.#put(collection, place, [{ name: '', key }])
    return place
  }

  /** Puts a child of a map at the place of its name, instead of one that had it. */
  set(collection: number, place: number, name: string, key: KeyParts): void {
    const others = this.#at(collection, place).filter((child) => child.name !== name)
    this.#put(collection, place, [...others, { name, key }])
  }

  remove(collection: number, place: number, key: KeyParts): void {
    const left = this.#at(collection, place).filter((child) => !isSameKey(child.key, key))
    if (left.length === 0) this.#transaction.delete(CHILD_KIND, collection, place)
    else this.#put(collection, place, left)
    const appended = this.#appended.get(collection)
    if (appended === undefined) return
    const others = appended.filter((one) => !isSameKey(one.key, key))
    if (others.length === appended.length) return
    this.#appended.set(collection, others)
    this.#vacated.set(collection, (this.#vacated.get(collection) ?? new Set()).add(place))
  }

  /** Moves what was appended behind what `latest` has; returns the children whose place changed, with the new one. */
  settle(latest: RecordReader): { key: KeyParts; place: number }[] {
    for (const [collection, places] of this.#vacated) for (const place of places) this.#leave(latest, collection, place)
    const moved: Appended[] = []
    for (const [collection, appended] of this.#appended) {
      const [first] = appended
      if (first === undefined) continue
      let last = lastPlace(latest, collection)
      if (last === undefined || last < first.place) continue
      for (const one of appended) this.#leave(latest, collection, one.place)
      for (const one of appended) {
        one.place = nextPlace(last)
        last = one.place
        this.#put(collection, one.place, [{ name: '', key: one.key }])
        moved.push(one)
      }
    }
    return moved
  }

  /** Somebody else may have come there first. */
  #leave(latest: RecordReader, collection: number, place: number): void {
    const theirs = latest.get(CHILD_KIND, collection, place)
    if (theirs === undefined) this.#transaction.delete(CHILD_KIND, collection, place)
    else this.#transaction.put(CHILD_KIND, collection, place, theirs)
  }

  #at(collection: number, place: number): Child[] {
    const value = this.#transaction.get(CHILD_KIND, collection, place)
    return value === undefined ? [] : decodeChildren(value)
  }

  #put(collection: number, place: number, children: readonly Child[]): void {
    this.#transaction.put(CHILD_KIND, collection, place, encodeChildren(children))
  }
}

function lastPlace(reader: RecordReader, collection: number): number | undefined {
  return reader.floor(CHILD_KIND, collection, MAX_PLACE)?.low
}

function nextPlace(last: number | undefined): number {
  if (last === undefined) return FIRST_PLACE
  if (last <= MAX_PLACE - PLACE_STEP) return last + PLACE_STEP
  throw new AteError('BAD_ARGUMENT', 'The collection has no place left behind its last child.')
}
