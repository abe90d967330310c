/** Two transports that speak to each other in memory: packets arrive later, in order, as they would over a network. */
import { copyOf } from '../engine/bytes/copy.js'
import type { Transport, TransportEvents } from './transport.js'

class MemoryTransport implements Transport {
  peer: MemoryTransport | undefined
  #events: TransportEvents | undefined
  #arrived: { packet: Uint8Array; taken: () => void }[] = []
  #isPaused = false
  #isDelivering = false
  #isEnding = false
  #hasEnded = false

  start(events: TransportEvents): void {
    this.#events = events
    this.#deliver()
  }

  send(packet: Uint8Array, written: () => void): void {
    if (!this.#isEnding) this.peer?.arrive(copyOf(packet), written)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#deliver()
  }

  close(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.peer?.end()
    this.end()
  }

  destroy(): void {
    this.#arrived = []
    this.#isPaused = false
    this.close()
    this.#deliver()
  }

  arrive(packet: Uint8Array, taken: () => void): void {
    this.#arrived.push({ packet, taken })
    this.#deliver()
  }

  end(): void {
    this.#isEnding = true
    this.#deliver()
  }

  #deliver(): void {
    if (this.#isDelivering || this.#hasEnded) return
    this.#isDelivering = true
    queueMicrotask(() => {
      this.#isDelivering = false
      this.#deliverOne()
    })
  }

  #deliverOne(): void {
    if (this.#events === undefined || this.#isPaused || this.#hasEnded) return
    const next = this.#arrived.shift()
    if (next !== undefined) {
      next.taken()
      this.#events.packet(next.packet)
    } else if (this.#isEnding) {
      this.#hasEnded = true
      this.#events.ended()
      return
    } else {
      return
    }
    this.#deliver()
  }
}

/** The two ends. */
export function memoryTransports(): [Transport, Transport] {
  const one = new MemoryTransport()
  const other = new MemoryTransport()
  one.peer = other
  other.peer = one
  return [one, other]
}
