/**
 * Memory for many small byte strings that are forgotten together: one allocation for all of a slab. Whoever keeps one of
 * them keeps the slab.
 */
const SLAB_BYTES = 64 * 1024
const NOTHING = new Uint8Array(0)

export class Slab {
  /** To be used again after `reset`: the first of those made, up to the limit. */
  readonly #kept: Uint8Array[] = []
  readonly #keptLimit: number
  #next = 0
  #memory: Uint8Array = NOTHING
  #used = 0

  /** `keptBytes`: as much is used again after each `reset`. */
  constructor(keptBytes = 0) {
    this.#keptLimit = Math.ceil(keptBytes / SLAB_BYTES)
  }

  take(length: number): Uint8Array {
    if (length > SLAB_BYTES / 8) return new Uint8Array(length)
    if (this.#used + length > this.#memory.length) this.#advance()
    const start = this.#used
    this.#used += length
    return this.#memory.subarray(start, this.#used)
  }

  /** Nobody has anything any more that was taken: it is given again. */
  reset(): void {
    this.#next = 0
    this.#memory = NOTHING
    this.#used = 0
  }

  #advance(): void {
    this.#memory = this.#kept[this.#next++] ?? this.#make()
    this.#used = 0
  }

  #make(): Uint8Array {
    const memory = new Uint8Array(SLAB_BYTES)
    if (this.#kept.length < this.#keptLimit) this.#kept.push(memory)
    return memory
  }
}
