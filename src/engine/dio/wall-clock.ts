/** The time of this machine, corrected by what those say who know better. */
export interface WallClockOptions {
  /** What this machine takes for the time, milliseconds since 1970. */
  machineMs: () => number
  /** Corrections beyond it are not believed: rather a time that is wrong than one that a stranger has chosen. */
  toleranceMs: number
  /** Called with a correction that is not believed, once until there is one that is. */
  onDoubt: (offsetMs: number) => void
}

export class WallClock {
  readonly #options: WallClockOptions
  #offsetMs = 0
  #isInDoubt = false

  constructor(options: WallClockOptions) {
    this.#options = options
  }

  /** What the machine is behind by; 0 while nobody has said. */
  get offsetMs(): number {
    return this.#offsetMs
  }

  /** Milliseconds since 1970. */
  readonly nowMs = (): number => this.#options.machineMs() + this.#offsetMs

  /** Somebody says that the machine is behind by this much. False: it is not believed, and nothing changes. */
  correct(offsetMs: number): boolean {
    if (Math.abs(offsetMs) <= this.#options.toleranceMs) {
      this.#offsetMs = offsetMs
      this.#isInDoubt = false
      return true
    }
    if (!this.#isInDoubt) this.#options.onDoubt(offsetMs)
    this.#isInDoubt = true
    return false
  }
}
