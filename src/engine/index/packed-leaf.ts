/**
 * A leaf as it is read: its bytes as they are, and where each record begins. Thousands are kept, so a record costs four bytes
 * beside its own and no object; a value is a view of the leaf, made when it is asked for, and good while the leaf is.
 */
import { valueOf } from './leaf.js'
import { highAt, lowAt } from './record-key.js'

export class PackedLeaf {
  readonly #bytes: Uint8Array
  readonly #starts: Uint32Array

  /** Both are kept. `starts` is where each record begins (`recordStarts`). */
  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.#bytes = bytes
    this.#starts = starts
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
    return valueOf(this.#bytes, this.#starts[position] ?? 0)
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
