/** The children of a collection, in order, page by page. */
import type { RecordReader } from '../transaction/record-reader.js'
import { type Child, decodeChildren } from './collection-record.js'
import { CHILD_KIND } from './kinds.js'
import { pages } from './pages.js'

/** Greatest place. */
export const MAX_PLACE = Number.MAX_SAFE_INTEGER
/** Between neighbours, so that others can come between them. */
export const PLACE_STEP = 2 ** 20

export interface PlacedChild extends Child {
  readonly place: number
}

export class Collection {
  readonly number: number
  readonly #reader: RecordReader

  constructor(reader: RecordReader, number: number) {
    this.#reader = reader
    this.number = number
  }

  *children(from = 0): Generator<PlacedChild> {
    for (const { low, value } of pages(() => this.#reader, CHILD_KIND, this.number, from))
      for (const child of decodeChildren(value)) yield { ...child, place: low }
  }

  count(): number {
    const children = this.children()
    let count = 0
    while (children.next().done !== true) count++
    return count
  }

  /** The children at one place. */
  at(place: number): Child[] {
    const value = this.#reader.get(CHILD_KIND, this.number, place)
    return value === undefined ? [] : decodeChildren(value)
  }
}
