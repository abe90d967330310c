/**
 * When an uploader rests, so that who works on this machine goes first: what is brought to a server costs the processor, and
 * the disk where both are one machine. Nothing that is waited for rests.
 */
import type { Timers } from '../wire/index.js'

/** Commits that follow each other closely are brought together. */
export const LEAST_REST_MS = 20
/** Others see a change so much later at most. */
export const MOST_REST_MS = 300
/** It works a quarter of the time. */
const RESTS_PER_WORK = 3

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

  /** After so many milliseconds of work. */
  begin(workedMs: number): void {
    this.end()
    const restMs = Math.min(Math.max(RESTS_PER_WORK * workedMs, LEAST_REST_MS), MOST_REST_MS)
    this.#stop = this.#timers.after(restMs, () => {
      this.#stop = undefined
      this.#onOver()
    })
  }

  end(): void {
    this.#stop?.()
    this.#stop = undefined
  }
}
