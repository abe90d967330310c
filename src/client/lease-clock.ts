/**
 * For how long the server keeps for certain what it has confirmed. Counted from before it was asked, and by two clocks: one that
 * nobody sets, and one that goes on while the machine sleeps. The one that says more counts.
 */
export interface Moment {
  readonly steadyMs: number
  readonly wallMs: number
}

export class LeaseClock {
  readonly #leaseMs: number
  #confirmed: Moment | undefined

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  now(): Moment {
    return { steadyMs: performance.now(), wallMs: Date.now() }
  }

  /** It was there behind that moment. */
  confirm(asked: Moment): void {
    this.#confirmed = asked
  }

  get isCertain(): boolean {
    return this.isCertainFor(0)
  }

  /** For so many milliseconds more. */
  isCertainFor(ms: number): boolean {
    if (this.#confirmed === undefined) return false
    const { steadyMs, wallMs } = this.now()
    return Math.max(steadyMs - this.#confirmed.steadyMs, wallMs - this.#confirmed.wallMs) + ms < this.#leaseMs
  }
}
