/**
 * Bodies whose space is given back later: one pass over the log at a time, each for all that was dropped before it began. Up to which
 * batch that is done is told only behind it, so that after a crash clients tell again.
 */
import { mergedRanges } from '../engine/log/merged-ranges.js'
import type { NumberRange } from '../engine/log/types.js'
import { MAX_DROP_RANGES } from '../sync/limits.js'

/** Beyond them whoever drops more waits for a pass. */
const MAX_PENDING_RANGES = 8 * MAX_DROP_RANGES

export interface Passes {
  /** Gives the space back. `numbers` ascend and do not touch. False when it could not. Never rejects. */
  free(numbers: readonly NumberRange[], signal: AbortSignal): Promise<boolean>
  /** Everything that batches up to this one drop is given back. Never rejects. */
  done(upTo: number): Promise<void>
}

export class PendingDrops {
  readonly #passes: Passes
  readonly #closing = new AbortController()
  #pending: NumberRange[] = []
  #upTo: number
  #freeing: Promise<void> | undefined
  #hasFailed = false

  /** `upTo`: of the batch up to which all is done. */
  constructor(passes: Passes, upTo = 0) {
    this.#passes = passes
    this.#upTo = upTo
  }

  /** Resolves when it is noted. `upTo`: the batch up to which everything dropped was noted before or is now; 0: none. */
  async add(numbers: readonly NumberRange[], upTo = 0): Promise<void> {
    for (;;) {
      if (this.#closing.signal.aborted) return
      const merged = mergedRanges([...this.#pending, ...numbers])
      if (merged.length <= MAX_PENDING_RANGES || this.#freeing === undefined) {
        this.#pending = merged
        this.#upTo = Math.max(this.#upTo, upTo)
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
    let done = 0
    do {
      const [numbers, upTo] = [this.#pending, this.#upTo]
      this.#pending = []
      if (numbers.length > 0 && !(await this.#passes.free(numbers, signal))) {
        this.#keep(numbers)
        break
      }
      if (!this.#hasFailed && !isOver(signal)) await this.#passes.done(upTo)
      done = upTo
    } while ((this.#pending.length > 0 || this.#upTo > done) && !isOver(signal))
    this.#freeing = undefined
  }

  /** For the next pass, when more is dropped. */
  #keep(numbers: readonly NumberRange[]): void {
    const merged = mergedRanges([...this.#pending, ...numbers])
    // They are told again when the chain has been opened anew: no later batch may hide them.
    if (merged.length > MAX_PENDING_RANGES) this.#hasFailed = true
    else this.#pending = merged
  }
}

/** It changes while it is waited for. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted
}
