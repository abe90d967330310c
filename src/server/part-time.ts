/** The time in which who brings a batch in parts goes on with it: what is not whole is held in memory, which others want. */
import type { Timers } from '../wire/index.js'

/** In each time, of what is held of it already and at least: so that a batch is whole after a few of them. */
const LEAST_GROWTH = 1 / 16
const LEAST_BYTES = 64 * 1024

export interface PartTimeOptions {
  readonly timers: Timers
  readonly graceMs: number
  /** Only then it matters. */
  readonly isScarce: () => boolean
  readonly onLate: () => void
}

export class PartTime {
  readonly #options: PartTimeOptions
  #heldBytes = 0
  /** In this time. */
  #broughtBytes = 0
  #stopTimer: () => void = () => undefined

  constructor(options: PartTimeOptions) {
    this.#options = options
  }

  note(bytes: number): void {
    const isFirst = this.#heldBytes === 0
    this.#heldBytes += bytes
    this.#broughtBytes += bytes
    if (isFirst) this.#begin()
  }

  /** It is whole, or was let go. */
  end(): void {
    this.#stopTimer()
    this.#heldBytes = this.#broughtBytes = 0
  }

  #begin(): void {
    const { timers, graceMs, isScarce, onLate } = this.#options
    this.#stopTimer = timers.after(graceMs, () => {
      const least = Math.max(LEAST_BYTES, this.#heldBytes * LEAST_GROWTH)
      const isLate = this.#broughtBytes < least && isScarce()
      this.#broughtBytes = 0
      if (isLate) onLate()
      else this.#begin()
    })
  }
}
