/**
 * A leaf as it is read: its bytes as they are, and where each record begins. Thousands are kept, so a record costs four bytes
 * beside its own and no object; a value is a view of the leaf, made when it is asked for.
 */
import { AteError } from '../error.js'
import { MAX_RECORD_VALUE_BYTES } from '../limits.js'
import { RECORD_HEADER_BYTES, valueLength } from './leaf.js'
import { highAt, lowAt, RECORD_KEY_BYTES } from './record-key.js'

const starts: number[] = []

export class PackedLeaf {
  readonly #bytes: Uint8Array
  readonly #starts: Uint32Array

  /** Throws BAD_FORMAT on bytes that are no leaf; never reads beyond them. `bytes` are kept. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    starts.length = 0
    for (let at = 0; at < bytes.length;) {
      if (bytes.length - at < RECORD_HEADER_BYTES) throw new AteError('BAD_FORMAT', `index leaf: cut record at ${at}`)
      const length = valueLength(bytes, at + RECORD_KEY_BYTES)
      const start = at + RECORD_HEADER_BYTES
      if (length > MAX_RECORD_VALUE_BYTES || length > bytes.length - start) {
        throw new AteError('BAD_FORMAT', `index leaf: value of ${length} bytes at ${at} does not fit`)
      }
      const previous = starts[starts.length - 1]
      if (previous !== undefined && !isKeyBefore(bytes, previous, at)) {
        throw new AteError('BAD_FORMAT', `index leaf: keys out of order at ${at}`)
      }
      starts.push(at)
      at = start + length
    }
    this.#starts = Uint32Array.from(starts)
  }

  get length(): number {
    return this.#starts.length
  }

  /** Whether there is a record at this position, of this kind and high. */
  isOf(position: number, kind: number, high: number): boolean {
    const at = this.#starts[position]
    return at !== undefined && this.#bytes[at] === kind && highAt(this.#bytes, at) === high
  }

  lowAt(position: number): number {
    return lowAt(this.#bytes, this.#starts[position] ?? 0)
  }

  valueAt(position: number): Uint8Array {
    const at = this.#starts[position] ?? 0
    const start = at + RECORD_HEADER_BYTES
    return this.#bytes.subarray(start, start + valueLength(this.#bytes, at + RECORD_KEY_BYTES))
  }

  /** Position of the first record with a key >= the given one. */
  lowerBound(kind: number, high: number, low: number): number {
    let from = 0
    let to = this.#starts.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#isBefore(this.#starts[middle] ?? 0, kind, high, low)) from = middle + 1
      else to = middle
    }
    return from
  }

  #isBefore(at: number, kind: number, high: number, low: number): boolean {
    const bytes = this.#bytes
    const itsKind = bytes[at] ?? 0
    if (itsKind !== kind) return itsKind < kind
    const itsHigh = highAt(bytes, at)
    if (itsHigh !== high) return itsHigh < high
    return lowAt(bytes, at) < low
  }
}

/** Keys are in the order of their bytes. */
function isKeyBefore(bytes: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < RECORD_KEY_BYTES; i++) {
    const difference = (bytes[a + i] ?? 0) - (bytes[b + i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
