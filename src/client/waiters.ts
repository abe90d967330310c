/** Those who wait for something that may come or not, each for a bounded time. */
import { AteError } from '../engine/error.js'
import type { Timers } from '../wire/index.js'

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: AteError) => void
}

export class Waiters {
  readonly #timers: Timers
  readonly #waiting = new Set<Waiter>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Fails with what `late` gives after so many milliseconds. */
  wait(timeoutMs: number, late: () => AteError): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        stop()
        this.#waiting.delete(waiter)
        act()
      }
      const waiter: Waiter = { resolve: () => settle(resolve), reject: (error) => settle(() => reject(error)) }
      const stop = this.#timers.after(timeoutMs, () => waiter.reject(late()))
      this.#waiting.add(waiter)
    })
  }

  resolveAll(): void {
    for (const { resolve } of [...this.#waiting]) resolve()
  }

  rejectAll(error: AteError): void {
    for (const { reject } of [...this.#waiting]) reject(error)
  }
}

/** As that ends; fails with TIMED_OUT when the time is over before. */
export function inTime(timers: Timers, timeoutMs: number, waited: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new AteError('TIMED_OUT', 'It was not done in time.'))
    const stop = timers.after(timeoutMs, late)
    waited.then(resolve, reject).finally(stop)
  })
}

/** Lets all that is due come first. */
export function nextTurn(timers: Timers): Promise<void> {
  return new Promise((resolve) => timers.after(0, resolve))
}

/** Nobody asked, or it is told elsewhere. */
export const ignore = (): void => undefined
