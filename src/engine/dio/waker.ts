import { after } from '../after.js'

/** Lets those who have nothing to do wait until there may be something. */
export class Waker {
  readonly #waiting = new Set<() => void>()
  #count = 0

  /** How often they were woken: to be asked before one looks for something to do. */
  get count(): number {
    return this.#count
  }

  /** Wakes all who wait, and all who are about to. */
  wake(): void {
    this.#count++
    for (const wake of this.#waiting) wake()
  }

  /** Resolves at the next `wake` after `count`, after `ms` milliseconds when given, or when `signal` comes. */
  wait(count: number, ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (count !== this.#count) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        stopTimer()
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
      const stopTimer = after(ms ?? Infinity, wake)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    })
  }
}
