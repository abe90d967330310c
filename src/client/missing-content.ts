/** Content that has not come with its batch. One that has come since, or is about to, must drop it. */
import { AteError } from '../engine/error.js'
import { Doubts, type ReceivedBatch } from '../engine/log/index.js'

export class MissingContent {
  readonly #missing = new Doubts()

  note(run: readonly ReceivedBatch[]): void {
    for (const { dropped, missing } of run) {
      for (const range of dropped) this.#missing.settle(range)
      for (const doubt of missing) this.#missing.add(doubt)
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
