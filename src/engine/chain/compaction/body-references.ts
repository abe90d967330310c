/**
 * How many records refer to each body: what a drop of somebody else is judged by. Counted once, and then kept right with each change,
 * so that one drop after another costs what it names and no look at all records.
 */
import { AteError, isAteError } from '../../error.js'
import type { FindReferences, RecordContent } from './live-bodies.js'

/** Small: a record may name any number, and each page is memory. */
const PAGE_BODIES = 256

export class BodyReferences {
  readonly #findReferences: FindReferences
  readonly #below: BodyReferences | undefined
  readonly #pages = new Map<number, Int32Array>()
  #unreadable = 0

  /** `below`: what these are changes of. */
  constructor(findReferences: FindReferences, below?: BodyReferences) {
    this.#findReferences = findReferences
    this.#below = below
  }

  /** Records of which nobody can tell what they refer to. */
  get unreadable(): number {
    return this.#unreadable + (this.#below?.unreadable ?? 0)
  }

  of(body: number): number {
    const own = this.#pages.get(Math.floor(body / PAGE_BODIES))?.[body % PAGE_BODIES] ?? 0
    return own + (this.#below?.of(body) ?? 0)
  }

  add(record: RecordContent): void {
    this.#count(record, 1)
  }

  remove(record: RecordContent): void {
    this.#count(record, -1)
  }

  #count(record: RecordContent, by: 1 | -1): void {
    const bodies: number[] = []
    try {
      if (!this.#findReferences(record, (body) => void bodies.push(body)))
        throw new AteError('NOT_SUPPORTED', `There are records of kind ${record.kind}, which are not known here.`)
    } catch (error) {
      if (!isAteError(error)) throw error
      this.#unreadable += by
      return
    }
    for (const body of bodies) this.#at(body, by)
  }

  #at(body: number, by: 1 | -1): void {
    const number = Math.floor(body / PAGE_BODIES)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Int32Array(PAGE_BODIES)
      this.#pages.set(number, page)
    }
    const at = body % PAGE_BODIES
    page[at] = (page[at] ?? 0) + by
  }
}
