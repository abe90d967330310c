/**
 * The sizes of bodies, and memory for opened ones, in pieces of a few sizes that are used again: fresh memory for each would be
 * given back only when the collector comes to it, long after it is counted as free.
 */
import { MAX_BODY_BYTES, SHARED_BODY_BYTES } from '../limits.js'

/** Ascending. */
const SIZES = [1024, 4096, SHARED_BODY_BYTES, MAX_BODY_BYTES / 2, MAX_BODY_BYTES]
/** What is kept of one size: what a new body may push out, and some. */
const MAX_SPARE_BYTES = 1024 * 1024

/** Of a body that takes in a piece of so many bytes of content. */
export function sharedBodyBytes(contentBytes: number): number {
  return contentBytes <= SHARED_BODY_BYTES ? SHARED_BODY_BYTES : MAX_BODY_BYTES
}

export class BodyMemory {
  readonly #spare = new Map<number, ArrayBufferLike[]>(SIZES.map((size) => [size, []]))

  /** Memory of so many bytes, which holds more of them; undefined for more than a body has. Its content is anything. */
  take(length: number): Uint8Array | undefined {
    const size = SIZES.find((one) => one >= length)
    if (size === undefined) return undefined
    return new Uint8Array(this.#spare.get(size)?.pop() ?? new ArrayBuffer(size), 0, length)
  }

  /** Nobody looks at it any more. */
  giveBack({ buffer }: Uint8Array): void {
    const spare = this.#spare.get(buffer.byteLength)
    if (spare !== undefined && spare.length * buffer.byteLength < MAX_SPARE_BYTES) spare.push(buffer)
  }
}

/** A body that is being filled. */
export interface OpenBody {
  number: number
  parts: Uint8Array[]
  bytes: number
}
