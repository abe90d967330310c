/**
 * Memory for many small byte strings that are forgotten together: one allocation for all of a slab. Whoever keeps one of
 * them keeps the slab.
 */
const SLAB_BYTES = 64 * 1024

export class Slab {
  #memory = new Uint8Array(0)
  #used = 0

  take(length: number): Uint8Array {
    if (length > SLAB_BYTES / 8) return new Uint8Array(length)
    if (this.#used + length > this.#memory.length) {
      this.#memory = new Uint8Array(SLAB_BYTES)
      this.#used = 0
    }
    const start = this.#used
    this.#used += length
    return this.#memory.subarray(start, this.#used)
  }
}
