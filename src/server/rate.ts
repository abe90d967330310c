/** How much somebody may bring in a second: what is more waits for the next one. */
import type { Timers } from '../wire/index.js'

const WINDOW_MS = 1000

export class Rate {
  readonly #timers: Timers
  readonly #perSecond: number
  #used = 0
  #next: Promise<void> | undefined

  constructor(timers: Timers, perSecond: number) {
    this.#timers = timers
    this.#perSecond = perSecond
  }

  /** Undefined when there is room now. One that is larger than all has a second for itself. */
  take(amount: number): Promise<void> | undefined {
    if (this.#used > 0 && this.#used + amount > this.#perSecond) return this.#takeLater(amount)
    this.#used += amount
    this.#next ??= new Promise((resolve) => {
      this.#timers.after(WINDOW_MS, () => {
        this.#used = 0
        this.#next = undefined
        resolve()
      })
    })
    return undefined
  }

  async #takeLater(amount: number): Promise<void> {
    do await this.#next
    while (this.#used > 0 && this.#used + amount > this.#perSecond)
    await this.take(amount)
  }
}
