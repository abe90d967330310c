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
  /** Without a gap. */
  #batches: BatchToSend[] = []
  /** Those before were forgotten: cutting them off one by one would take quadratic time. */
  #first = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(sequence: number): BatchToSend | undefined {
    const first = this.#batches[this.#first]
    return first === undefined || sequence < first.sequence
      ? undefined
      : this.#batches[this.#first + sequence - first.sequence]
  }

  /** The batch behind the last one that was added. */
  add(batch: BatchToSend): void {
    this.#batches.push(batch)
    this.#bytes += batch.bytes
    while (this.#bytes > this.#maxBytes) {
      this.#bytes -= this.#batches[this.#first]?.bytes ?? 0
      this.#first++
    }
    if (this.#first < 1024 && this.#first < this.#batches.length) return
    this.#batches = this.#batches.slice(this.#first)
    this.#first = 0
  }
}
