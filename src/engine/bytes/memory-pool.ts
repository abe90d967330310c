/**
 * Memory that is used again as soon as nobody looks at what lies in it: new memory each time would keep the collector of the engine
 * busy.
 */
export interface MemoryPoolOptions {
  /** What is smaller has new memory, which is not kept. */
  readonly leastBytes: number
  /** What differs by less fits the same memory. */
  readonly stepBytes: number
  /** What may lie idle. */
  readonly maxIdleBytes: number
}

export class MemoryPool {
  readonly #options: MemoryPoolOptions
  readonly #lent = new WeakSet<ArrayBufferLike>()
  readonly #idle: ArrayBufferLike[] = []
  #idleBytes = 0

  constructor(options: MemoryPoolOptions) {
    this.#options = options
  }

  /** What is in it is of no meaning. */
  take(length: number): Uint8Array {
    const { leastBytes, stepBytes } = this.#options
    if (length < leastBytes) return new Uint8Array(new ArrayBuffer(length))
    const place = this.#idle.findIndex((memory) => isFitting(memory, length))
    const [memory = new ArrayBuffer(Math.ceil(length / stepBytes) * stepBytes)] =
      place < 0 ? [] : this.#idle.splice(place, 1)
    if (place >= 0) this.#idleBytes -= memory.byteLength
    this.#lent.add(memory)
    return new Uint8Array(memory, 0, length)
  }

  /** The memory in which the bytes lie: nobody looks at it any more. What is not lent is left alone. */
  giveBack({ buffer }: Uint8Array): void {
    const { leastBytes, maxIdleBytes } = this.#options
    if (buffer.byteLength < leastBytes || !this.#lent.delete(buffer)) return
    this.#idle.push(buffer)
    this.#idleBytes += buffer.byteLength
    while (this.#idleBytes > maxIdleBytes) this.#idleBytes -= this.#idle.shift()?.byteLength ?? 0
  }
}

/** What its owner counts is what he asked for, not the memory: that is no more than twice as much. */
function isFitting({ byteLength }: ArrayBufferLike, length: number): boolean {
  return byteLength >= length && byteLength <= 2 * length
}
