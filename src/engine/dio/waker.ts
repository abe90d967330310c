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
      let timer: ReturnType<typeof setTimeout> | undefined
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
      if (ms !== undefined) timer = setTimeout(wake, ms)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    })
  }
}
