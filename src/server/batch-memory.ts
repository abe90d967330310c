/**
 * Memory in which the parts of large batches become one, used again for the next ones as soon as nobody looks at a batch any more: new
 * memory for each would keep the collector of the engine busy.
 */
import type { BatchBytes } from '../engine/log/index.js'

/** Two of what a mount commits at once. */
const MAX_IDLE_BYTES = 20 * 1024 * 1024
/** Batches that differ little fit the same memory. */
const STEP_BYTES = 256 * 1024

export class BatchMemory {
  #idle: ArrayBuffer[] = []
  readonly #lent = new WeakSet<ArrayBufferLike>()

  /** What is in it is of no meaning. */
  take(length: number): Uint8Array {
    const place = this.#idle.findIndex(({ byteLength }) => byteLength >= length && byteLength <= 2 * length)
    const [memory = new ArrayBuffer(Math.ceil(length / STEP_BYTES) * STEP_BYTES)] =
      place < 0 ? [] : this.#idle.splice(place, 1)
    this.#lent.add(memory)
    return new Uint8Array(memory, 0, length)
  }

  /** Nobody looks at the batch any more. One that lies in other memory is left alone. */
  giveBack({ head: { buffer } }: Pick<BatchBytes, 'head'>): void {
    if (!(buffer instanceof ArrayBuffer) || !this.#lent.delete(buffer)) return
    this.#idle.push(buffer)
    let idleBytes = this.#idle.reduce((sum, { byteLength }) => sum + byteLength, 0)
    for (; idleBytes > MAX_IDLE_BYTES; idleBytes -= this.#idle.shift()?.byteLength ?? 0);
  }
}
