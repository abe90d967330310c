/** The latest batches of a chain, as they are sent: who follows closely is served without reading the log. */
import { batchItemPieces, type ReceivedBatch } from '../engine/log/index.js'
import { batchParts } from '../sync/index.js'

/** A batch in the parts that are sent of it. */
export type BatchToSend = {
  readonly sequence: number
  readonly bytes: number
  readonly parts: readonly { readonly bytes: Uint8Array; readonly more: boolean }[]
}

export function toSend(batch: ReceivedBatch): BatchToSend {
  const parts = [...batchParts(batchItemPieces(batch))]
  return { sequence: batch.sequence, bytes: parts.reduce((sum, part) => sum + part.bytes.length, 0), parts }
}

export class RecentBatches {
  readonly #maxBytes: number
  /** By sequence, without a gap. */
  readonly #batches = new Map<number, BatchToSend>()
  #first = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(sequence: number): BatchToSend | undefined {
    return this.#batches.get(sequence)
  }

  /** The batch behind the last one that was added. */
  add(batch: BatchToSend): void {
    if (this.#batches.size === 0) this.#first = batch.sequence
    this.#batches.set(batch.sequence, batch)
    this.#bytes += batch.bytes
    while (this.#bytes > this.#maxBytes) {
      this.#bytes -= this.#batches.get(this.#first)?.bytes ?? 0
      this.#batches.delete(this.#first)
      this.#first++
    }
  }
}
