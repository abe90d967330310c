/** Up to where batches that share signatures are whole: told from what each says of those ahead. */
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'

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
