/** Up to where batches that share signatures are whole: told from what each says of those ahead. */
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { frameBytesOf, type ReceivedBatch } from './received-batch.js'

export class RunEnd {
  #wholeTo = SEGMENT_HEADER_BYTES
  #awaited = 0

  /** The next batch of a segment, and how far ahead its signatures are. */
  add(endPosition: number, ahead: number): void {
    this.#awaited = Math.max(this.#awaited - 1, ahead)
    if (this.#awaited === 0) this.#wholeTo = endPosition
  }

  /** True when no signatures are awaited any more. */
  get isWhole(): boolean {
    return this.#awaited === 0
  }

  /** Position behind the last batch that, with all before it, has its signatures. */
  get wholeTo(): number {
    return this.#wholeTo
  }
}

/**
 * Per batch the bytes of frames that are whole with it: it and those before it that share signatures with it; 0 where others of
 * them follow. A crash takes a part of them away: no anchor may know it, and nobody may be told that it is durable.
 */
export function wholeBytes(batches: readonly Pick<ReceivedBatch, 'bytes' | 'authorship'>[]): number[] {
  const run = new RunEnd()
  let bytes = 0
  return batches.map((batch, i) => {
    bytes += frameBytesOf(batch.bytes)
    run.add(0, batch.authorship?.proof.ahead ?? 0)
    if (!run.isWhole && i < batches.length - 1) return 0
    const whole = bytes
    bytes = 0
    return whole
  })
}

/**
 * Where batches that share signatures begin, the bytes of all of them; 0 for those behind. They are written at once: a part of
 * them that was durable alone would count for nobody after a crash.
 */
export function runBytes(plans: readonly { ahead: number }[], sizes: readonly number[]): number[] {
  const run = new RunEnd()
  const bytes = sizes.map(() => 0)
  let begin = 0
  for (const [i, size] of sizes.entries()) {
    bytes[begin] = (bytes[begin] ?? 0) + size
    run.add(0, plans[i]?.ahead ?? 0)
    if (run.isWhole) begin = i + 1
  }
  return bytes
}
