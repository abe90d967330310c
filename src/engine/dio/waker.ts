import { after } from '../after.js'

/** Lets those who have nothing to do wait until there may be something. */
export class Waker {
  readonly #waiting = new Set<() => void>()

  /** Wakes all who wait. */
  wake(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Resolves at the next `wake`, after `ms` milliseconds when given, or when `signal` comes. */
  wait(ms: number | undefined, signal: AbortSignal): Promise<void> {
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
