/** How much less the segments of a log take on the disk than they are long: what compactions gave back. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const BLOCK_BYTES = 512

/** 0 where it cannot be told. */
export function holeBytes(directory: string): number {
  try {
    let bytes = 0
    for (const name of readdirSync(directory)) {
      if (!name.endsWith('.seg')) continue
      const { size, blocks } = statSync(join(directory, name))
      bytes += Math.max(0, size - blocks * BLOCK_BYTES)
    }
    return bytes
  } catch {
    return 0
  }
}
