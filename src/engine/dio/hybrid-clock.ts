/**
 * A hybrid logical clock: later events have greater times, and times stay close to the wall clock. One number below 2^53:
 * milliseconds since 1970 (42 bits, until 2109) and a counter within the millisecond (11 bits).
 *
 * Source: Kulkarni et al., Logical Physical Clocks, 2014, section 3.
 */
import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import { AteError } from '../error.js'

const TICKS = 2048
/** How far times may lie ahead of ours, for whom we believe them. */
export const DEFAULT_TOLERANCE_MS = 40_000
const FORMAT = 1
/** No wall clock is believed beyond the year 2100: nine years are left to count on in. */
const LATEST = Date.UTC(2100, 0, 1) * TICKS
/** More times than a program gives between two commits, and few enough that nobody counts through what is left. */
const STEP = 2 ** 28

declare const brand: unique symbol
export type HybridTime = number & { readonly [brand]: 'HybridTime' }

export class HybridClock {
  readonly #nowMs: () => number
  readonly #toleranceMs: number
  #last = 0

  /** `nowMs`: the wall clock, with what is known of its error. It may stand still or go back. */
  constructor(nowMs: () => number, toleranceMs = DEFAULT_TOLERANCE_MS) {
    this.#nowMs = nowMs
    this.#toleranceMs = toleranceMs
  }

  /** The greatest time that it gave or saw; 0 before the first. */
  get last(): number {
    return this.#last
  }

  /** Greater than every time it gave or saw. */
  next(): HybridTime {
    const wall = Math.min(Math.max(0, Math.floor(this.#nowMs())) * TICKS, LATEST)
    this.#last = wall > this.#last ? wall : this.#last + 1
    // The only maker of times.
    return this.#last as HybridTime
  }

  /** A time that the chain holds: what comes next is greater. */
  observe(time: number): void {
    if (time > this.#last) this.#last = time
  }

  /**
   * TIME_AHEAD for a time that somebody else gives and that lies further ahead than the tolerance: whoever took it would
   * give such times himself from then on, for ever.
   */
  demandTolerable(time: number): void {
    const aheadMs = millisecondsOf(time) - this.#nowMs()
    if (aheadMs <= this.#toleranceMs) return
    throw new AteError('TIME_AHEAD', `A time lies ${Math.ceil(aheadMs / 1000)} seconds ahead of this clock.`, {
      hint: 'Set the clocks of both machines right.',
    })
  }
}

/**
 * The latest time that a batch may bring to a chain whose clock is at `before`: every reader comes to the same, whenever he
 * reads. The time in its link is no measure: who makes up the one makes up the other.
 */
export function latestAfter(before: number): number {
  return Math.max(LATEST, before) + STEP
}

/** Milliseconds since 1970. */
export function millisecondsOf(time: number): number {
  return Math.floor(time / TICKS)
}

/** The record that keeps the clock over the end of the program. */
export function encodeClock(time: number): Uint8Array {
  return new ByteWriter(8).u8(FORMAT).u53(time).copy()
}

/** BAD_FORMAT. */
export function decodeClock(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes, 'clock')
  if (reader.u8('format') !== FORMAT) throw reader.bad('format', 'is not 1', 0)
  const time = reader.u53('time')
  reader.done()
  return time
}
