/** Content that has not come with its batch. One that has come since, or is about to, must drop it. */
import { AteError } from '../engine/error.js'
import { Doubts, type ReceivedBatch } from '../engine/log/index.js'
import { GROUP_CONTENT } from '../engine/log/types.js'

export interface MissingContentOptions {
  /** It is not to come with it, and who reads it finds out whether it is there. */
  readonly isLazy?: boolean | undefined
  /** Nobody here tells a drop that counts from one that is refused: a server of distributed trust keeps everything. */
  readonly isUnjudged?: boolean | undefined
}

export class MissingContent {
  readonly #missing = new Doubts()
  readonly #options: MissingContentOptions

  constructor(options: MissingContentOptions) {
    this.#options = options
  }

  note(run: readonly ReceivedBatch[]): void {
    const { isLazy, isUnjudged } = this.#options
    for (const { dropped, missing } of run) {
      if (isUnjudged !== true) for (const range of dropped) this.#missing.settle(range)
      for (const doubt of missing) if (isLazy !== true || doubt.kind !== GROUP_CONTENT) this.#missing.add(doubt)
    }
  }

  get isAny(): boolean {
    return this.#missing.left().next().done !== true
  }

  /** Everything that the server has is here: BATCH_REFUSED when nothing of it drops what is missing. */
  demandNone(): void {
    for (const { sequence = 0 } of this.#missing.left())
      throw new AteError(
        'BATCH_REFUSED',
        `The server keeps back content of batch ${sequence} that nothing has dropped.`,
      )
  }
}
