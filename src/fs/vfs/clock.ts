/**
 * The time that goes into inodes. Wall-clock time with the resolution of the monotonic clock, never going back within a
 * mount by less than a real change of the clock: programs compare the times of files made one after the other.
 */
export interface Clock {
  /** Whole seconds since 1970 and nanoseconds, as of the last `tick`. */
  readonly sec: number
  readonly nsec: number
  /** Reads the time: once per operation. */
  tick(): void
}

/** The wall clock and the monotonic one may drift apart by this before the wall clock wins. */
const MAX_DRIFT_MS = 20

export class WallClock implements Clock {
  sec = 0
  nsec = 0
  #offsetMs: number
  #lastMs = 0

  constructor() {
    this.#offsetMs = Date.now() - performance.now()
    this.tick()
  }

  tick(): void {
    const wallMs = Date.now()
    let nowMs = performance.now() + this.#offsetMs
    if (nowMs - wallMs > MAX_DRIFT_MS || wallMs - nowMs > MAX_DRIFT_MS) {
      // The clock was set, or the machine slept.
      this.#offsetMs += wallMs - nowMs
      nowMs = wallMs
    } else if (nowMs < this.#lastMs) {
      nowMs = this.#lastMs
    }
    this.#lastMs = nowMs
    this.sec = Math.floor(nowMs / 1000)
    this.nsec = Math.floor((nowMs - this.sec * 1000) * 1e6)
  }
}
