/**
 * Memory of large packets, of all connections, which is used again when they are sent: new memory for each would keep the
 * collector of the engine busy.
 */
const LARGE_BYTES = 64 * 1024
/** What many are sent at the same time comes back at the same time. */
const MAX_IDLE_BYTES = 8 * 1024 * 1024

/** Packets that differ little fit the same memory. */
const STEP_BYTES = 16 * 1024

export class PacketMemory {
  readonly #idle: ArrayBufferLike[] = []
  #idleBytes = 0

  /** What is in it is of no meaning. */
  take(length: number): Uint8Array {
    const place = length < LARGE_BYTES ? -1 : this.#idle.findIndex((memory) => isFitting(memory, length))
    const [memory = new ArrayBuffer(roundedUp(length))] = place < 0 ? [] : this.#idle.splice(place, 1)
    if (place >= 0) this.#idleBytes -= memory.byteLength
    return new Uint8Array(memory, 0, length)
  }

  /** Once, of what `take` gave: nobody looks at the packet any more. */
  giveBack({ buffer }: Uint8Array): void {
    if (buffer.byteLength < LARGE_BYTES) return
    this.#idle.push(buffer)
    this.#idleBytes += buffer.byteLength
    while (this.#idleBytes > MAX_IDLE_BYTES) this.#idleBytes -= this.#idle.shift()?.byteLength ?? 0
  }
}

/** Of all connections here. */
export const packetMemory = new PacketMemory()

/** What a connection counts as unsent is the packet, not its memory: that is no more than twice as much. */
function isFitting({ byteLength }: ArrayBufferLike, length: number): boolean {
  return byteLength >= length && byteLength <= 2 * length
}

function roundedUp(length: number): number {
  return length < LARGE_BYTES ? length : Math.ceil(length / STEP_BYTES) * STEP_BYTES
}
