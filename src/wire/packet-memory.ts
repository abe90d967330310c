/** Memory of large packets, of all connections, which is used again when they are sent. */
import { MemoryPool } from '../engine/bytes/memory-pool.js'

export function newPacketMemory(): MemoryPool {
  return new MemoryPool({
    leastBytes: 64 * 1024,
    stepBytes: 16 * 1024,
    // What many are sent at the same time comes back at the same time.
    maxIdleBytes: 8 * 1024 * 1024,
  })
}

/** Of all connections here. */
export const packetMemory = newPacketMemory()
