/**
 * A hybrid logical clock: later events have greater times, and times stay close to the wall clock. One number below 2^53:
 * milliseconds since 1970 (42 bits, until 2109) and a counter within the millisecond (11 bits).
 *
 * Source: Kulkarni et al., Logical Physical Clocks, 2014, section 3.
 */
const TICKS = 2048

declare const brand: unique symbol
export type HybridTime = number & { readonly [brand]: 'HybridTime' }

export class HybridClock {
  readonly #nowMs: () => number
  #last = 0

  /** `nowMs`: the wall clock, with what is known of its error. It may stand still or go back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Greater than every time it gave or saw. */
  next(): HybridTime {
    const wall = Math.max(0, Math.floor(this.#nowMs())) * TICKS
    this.#last = wall > this.#last ? wall : this.#last + 1
    // The only maker of times.
    return this.#last as HybridTime
  }

  /** Somebody else's time: what comes next is greater. */
  observe(time: number): void {
    if (time > this.#last) this.#last = time
  }
}

/** Milliseconds since 1970. */
export function millisecondsOf(time: number): number {
  return Math.floor(time / TICKS)
}
