/**
 * How long to wait before connecting again: twice as long after each failure, by chance up to half of it less, so that the
 * clients of a server that comes back do not all come at once.
 */
export interface BackoffOptions {
  /** After the first failure, in milliseconds. */
  readonly firstMs?: number
  readonly maxMs?: number
  /** A connection that lasted so long was a good one: the next failure is a first one. */
  readonly steadyMs?: number
  /** In [0, 1). */
  readonly random?: () => number
}

export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  readonly #steadyMs: number
  readonly #random: () => number
  #failures = 0

  constructor({ firstMs = 250, maxMs = 30_000, steadyMs = 10_000, random = Math.random }: BackoffOptions = {}) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
    this.#steadyMs = steadyMs
    this.#random = random
  }

  /** Milliseconds to wait after a connection that lasted so long: 0 when it did not come about. */
  next(lastedMs: number): number {
    if (lastedMs >= this.#steadyMs) this.#failures = 0
    const most = Math.min(this.#maxMs, this.#firstMs * 2 ** this.#failures)
    // Far enough for any of both; 2 ** 1100 would be no number of milliseconds.
    this.#failures = Math.min(this.#failures + 1, 64)
    return most * (1 - this.#random() / 2)
  }
}
