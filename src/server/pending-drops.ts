/** Bodies whose space is given back later: one pass over the log at a time, each for all that was dropped before it began. */
import type { NumberRange } from '../engine/log/types.js'
import { MAX_DROP_RANGES } from '../sync/limits.js'

/** Beyond them whoever drops more waits for a pass. */
const MAX_PENDING_RANGES = 8 * MAX_DROP_RANGES

export class PendingDrops {
  /** Gives the space back. `numbers` ascend and do not touch. Never rejects. */
  readonly #free: (numbers: readonly NumberRange[], signal: AbortSignal) => Promise<void>
  readonly #closing = new AbortController()
  #pending: NumberRange[] = []
  #freeing: Promise<void> | undefined

  constructor(free: (numbers: readonly NumberRange[], signal: AbortSignal) => Promise<void>) {
    this.#free = free
  }

  /** Resolves when it is noted. */
  async add(numbers: readonly NumberRange[]): Promise<void> {
    for (;;) {
      if (this.#closing.signal.aborted) return
      const merged = mergedRanges([...this.#pending, ...numbers])
      if (merged.length <= MAX_PENDING_RANGES || this.#freeing === undefined) {
        this.#pending = merged
        this.#freeing ??= this.#run()
        return
      }
      await this.#freeing
    }
  }

  /** No pass is under way any more; the space of what was not reached stays taken. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#freeing
  }

  async #run(): Promise<void> {
    // All that comes at once goes together.
    await Promise.resolve()
    const { signal } = this.#closing
    while (this.#pending.length > 0 && !signal.aborted) {
      const numbers = this.#pending
      this.#pending = []
      await this.#free(numbers, signal)
    }
    this.#freeing = undefined
  }
}

/** The same numbers in ascending ranges that do not touch. */
export function mergedRanges(ranges: readonly NumberRange[]): NumberRange[] {
  const merged: NumberRange[] = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to + 1)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, to) }
    else merged.push({ from, to })
  }
  return merged
}
