/**
 * Room on the medium that the log is on, for statfs(2) on the mount. Never waits for that medium: the answer is at most one
 * question old, and a question is asked at most once a second.
 */
import { statfsSync, type StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { Space } from '../vfs/options.js'

const MAX_AGE_MS = 1000

export function mediumSpace(directory: string): () => Space {
  let space = toSpace(statfsSync(directory))
  let askedAtMs = performance.now()
  return () => {
    if (performance.now() - askedAtMs > MAX_AGE_MS) {
      askedAtMs = performance.now()
      statfs(directory).then(
        (stats) => (space = toSpace(stats)),
        () => undefined,
      )
    }
    return space
  }
}

function toSpace({ bsize, blocks, bfree, bavail }: StatsFs): Space {
  return { totalBytes: blocks * bsize, freeBytes: bfree * bsize, availableBytes: bavail * bsize }
}
