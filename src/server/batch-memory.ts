/** Memory in which the parts of large batches become one, used again for the next ones as soon as they are durable. */
import { MemoryPool } from '../engine/bytes/memory-pool.js'

export function newBatchMemory(): MemoryPool {
  return new MemoryPool({
    leastBytes: 0,
    stepBytes: 256 * 1024,
    // Two of what a mount commits at once.
    maxIdleBytes: 20 * 1024 * 1024,
  })
}
