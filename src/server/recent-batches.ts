/** The latest batches of a chain, as they are sent: who follows closely is served without reading the log. */
import { BATCH_ITEM_BYTES } from '../engine/log/batch-item.js'
import { type BatchBytes, batchItemPieces, type ReceivedBatch } from '../engine/log/index.js'
import { GROUP_CONTENT } from '../engine/log/types.js'
import { batchParts, type SentContent, SharedPush } from '../sync/index.js'

/** A batch in the parts that are sent of it: with all its content, and with none. */
export type BatchToSend = { readonly sequence: number } & Readonly<Record<SentContent, SentParts>>

type SentParts = {
  readonly bytes: number
  readonly parts: readonly SharedPush[]
}

export function toSend(batch: ReceivedBatch): BatchToSend {
  const all = partsOf(batch)
  const content = batch.head.table.filter(({ kind }) => kind === GROUP_CONTENT)
  const others = batch.missing.filter(({ kind }) => kind !== GROUP_CONTENT)
  const none = content.length === 0 ? all : partsOf({ ...batch, missing: [...others, ...content] })
  return { sequence: batch.sequence, all, none }
}

function partsOf(batch: Parameters<typeof batchItemPieces>[0]): SentParts {
  const parts = [...batchParts(batchItemPieces(batch))]
  return {
    bytes: parts.reduce((sum, part) => sum + part.bytes.length, 0),
    parts: parts.map(({ bytes, more }) => new SharedPush('batch', { bytes, more, term: 0 })),
  }
}

/** As it is sent, of a batch of which nothing is missing. */
export function itemBytesOf({ head, groups }: BatchBytes): number {
  return BATCH_ITEM_BYTES + head.length + groups.length
}

/** Memory for it. */
export function heldBytes({ all, none }: BatchToSend): number {
  return all === none ? all.bytes : all.bytes + none.bytes
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

  /** None is kept: the next one that is added is the first. */
  clear(): void {
    this.#batches.clear()
    this.#bytes = 0
  }

  /** The batch behind the last one that was added. */
  add(batch: BatchToSend): void {
    if (this.#batches.size === 0) this.#first = batch.sequence
    this.#batches.set(batch.sequence, batch)
    this.#bytes += heldBytes(batch)
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#batches.get(this.#first)
      this.#bytes -= oldest === undefined ? 0 : heldBytes(oldest)
      this.#batches.delete(this.#first)
      this.#first++
    }
  }
}
