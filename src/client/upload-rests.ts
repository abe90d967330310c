/**
 * When an uploader rests, so that who works on this machine goes first: what is brought to a server costs the processor, and
 * the disk where both are one machine. Nothing that is waited for rests.
 */
import type { Timers } from '../wire/index.js'

/** Commits that follow each other closely are brought together. */
export const LEAST_REST_MS = 20
/** After a little work others see a change so much later at most. */
export const MOST_REST_MS = 300
/** While more is written than is brought so, it trails so far behind at most; from then on it is brought without rests. */
export const MOST_TRAIL_MS = 1000
/** It rests after so much work even when there is more. */
export const MOST_WORK_MS = 20
/** What the server does with it takes twice the time, in which nobody here works either where both are one machine. */
const RESTS_PER_WORK = 10

export class UploadRests {
  readonly #timers: Timers
  readonly #onOver: () => void
  #stop: (() => void) | undefined

  constructor(timers: Timers, onOver: () => void) {
    this.#timers = timers
    this.#onOver = onOver
  }

  get isResting(): boolean {
    return this.#stop !== undefined
  }

  /** After so many milliseconds of work. `trailMs`: so long there has been something to bring all the time. */
  begin(workedMs: number, trailMs: number): void {
    this.end()
    const earnedMs = Math.min(Math.max(RESTS_PER_WORK * workedMs, LEAST_REST_MS), MOST_REST_MS)
    // None is a turn of the event loop still: requests are answered in between.
    this.#stop = this.#timers.after(Math.max(Math.min(earnedMs, MOST_TRAIL_MS - trailMs), 0), () => {
      this.#stop = undefined
      this.#onOver()
    })
  }

  end(): void {
    this.#stop?.()
    this.#stop = undefined
  }
}
