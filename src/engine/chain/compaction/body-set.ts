/** A set of numbers of bodies: a bit for each, in pages, for a chain has millions that lie close together. */
import type { NumberRange } from '../../log/types.js'

const PAGE_BODIES = 65_536

export class BodySet {
  readonly #pages = new Map<number, Uint8Array>()

  add(body: number): void {
    const number = Math.floor(body / PAGE_BODIES)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Uint8Array(PAGE_BODIES / 8)
      this.#pages.set(number, page)
    }
    const bit = body % PAGE_BODIES
    page[bit >>> 3] = (page[bit >>> 3] ?? 0) | (1 << (bit & 7))
  }

  has(body: number): boolean {
    const bit = body % PAGE_BODIES
    return (((this.#pages.get(Math.floor(body / PAGE_BODIES))?.[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1
  }

  /** What is here and not in `other`, ascending. */
  *without(other: BodySet): Generator<NumberRange> {
    let range: NumberRange | undefined
    for (const number of [...this.#pages.keys()].sort((a, b) => a - b)) {
      for (const bit of bitsLeft(this.#pages.get(number), other.#pages.get(number))) {
        const body = number * PAGE_BODIES + bit
        if (range?.to === body - 1) range.to = body
        else {
          if (range !== undefined) yield range
          range = { from: body, to: body }
        }
      }
    }
    if (range !== undefined) yield range
  }
}

function* bitsLeft(page: Uint8Array | undefined, other: Uint8Array | undefined): Generator<number> {
  if (page === undefined) return
  for (let at = 0; at < page.length; at++) {
    const bits = (page[at] ?? 0) & ~(other?.[at] ?? 0)
    for (let bit = 0; bits >>> bit !== 0; bit++) if (((bits >>> bit) & 1) === 1) yield at * 8 + bit
  }
}
