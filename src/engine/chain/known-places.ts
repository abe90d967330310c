/**
 * Where bodies lie that were read before: four numbers each that lie together, instead of a leaf of the index that must be found, opened
 * and searched in memory that no cache of a processor has. A body never moves; who reads one that was dropped finds that it does not
 * verify. Only for reading: what is dropped stays here, so whether a body is there the index alone can tell.
 */
import type { BodyPlace } from './body-place.js'

/** 4 MiB, of which only takes memory what was written. Each body has one slot, which others have too. */
const SLOTS = 131_072
const NUMBERS = 4
const TWO_32 = 0x1_0000_0000
/** What goes into one number with 32 bits of length. */
const MAX_SEGMENT = 0x1f_ffff

export class KnownPlaces {
  readonly #numbers = new Float64Array(SLOTS * NUMBERS)

  get(body: number): BodyPlace | undefined {
    const at = slotOf(body)
    // Zeros are slots of nobody: there is no body 0.
    if (body === 0 || this.#at(at) !== body) return undefined
    const lengthAndSegment = this.#at(at + 3)
    const storedBytes = lengthAndSegment % TWO_32
    const segment = (lengthAndSegment - storedBytes) / TWO_32
    return { body, random: this.#at(at + 1), segment, position: this.#at(at + 2), storedBytes }
  }

  note({ body, random, segment, position, storedBytes }: BodyPlace): void {
    if (segment > MAX_SEGMENT) return
    const at = slotOf(body)
    this.#numbers[at] = body
    this.#numbers[at + 1] = random
    this.#numbers[at + 2] = position
    this.#numbers[at + 3] = segment * TWO_32 + storedBytes
  }

  #at(position: number): number {
    return this.#numbers[position] ?? 0
  }
}

function slotOf(body: number): number {
  return (body % SLOTS) * NUMBERS
}
