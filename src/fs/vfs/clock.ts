/**
 * The time that goes into inodes: wall-clock time with the resolution of the monotonic clock. It does not go back within a
 * mount unless the clock was really set back: programs (make) compare the times of files made one after the other.
 */
export interface Clock {
  /** Whole seconds since 1970 and nanoseconds, as of the last `tick`. */
  readonly sec: number
  readonly nsec: number
  /** Reads the time: once per operation. */
  tick(): void
}

/** The wall clock is adjusted against the monotonic one in small steps: followed when they have come to this. */
const MAX_DRIFT_MS = 20
/** Going back by less than this is waited out. */
const SET_BACK_MS = 1000

export class WallClock implements Clock {
  sec = 0
  nsec = 0
  readonly #wallMs: () => number
  readonly #monotonicMs: () => number
  #offsetMs: number
  #lastMs = -Infinity

  constructor(wallMs = (): number => Date.now(), monotonicMs = (): number => performance.now()) {
    this.#wallMs = wallMs
    this.#monotonicMs = monotonicMs
    this.#offsetMs = wallMs() - monotonicMs()
    this.tick()
  }

  tick(): void {
    const wallMs = this.#wallMs()
    let nowMs = this.#monotonicMs() + this.#offsetMs
    const driftMs = wallMs - nowMs
    if (driftMs > MAX_DRIFT_MS || driftMs < -MAX_DRIFT_MS) {
      this.#offsetMs += driftMs
      nowMs = wallMs
    }
    const backMs = this.#lastMs - nowMs
    if (backMs > 0 && backMs < SET_BACK_MS) nowMs = this.#lastMs
    this.#lastMs = nowMs
    this.sec = Math.floor(nowMs / 1000)
    this.nsec = Math.floor((nowMs - this.sec * 1000) * 1e6)
  }
}
