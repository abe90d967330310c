/**
 * Room on the medium that the log is on, for statfs(2) on the mount: at most a second old, however long nobody asked. The
 * question is answered from the kernel's memory, so it is not handed to a thread.
 */
import { statfsSync, type StatsFs } from 'node:fs'
import type { Space } from '../vfs/options.js'

const MAX_AGE_MS = 1000

export function mediumSpace(
  directory: string,
  ask: (directory: string) => StatsFs = statfsSync,
  now: () => number = () => performance.now(),
): () => Space {
  let space = toSpace(ask(directory))
  let askedAtMs = now()
  return () => {
    if (now() - askedAtMs >= MAX_AGE_MS) {
      askedAtMs = now()
      try {
        space = toSpace(ask(directory))
      } catch {
        // What was known last is better than no answer: df is not where a broken medium is told.
      }
    }
    return space
  }
}

function toSpace({ bsize, blocks, bfree, bavail }: StatsFs): Space {
  return { totalBytes: blocks * bsize, freeBytes: bfree * bsize, availableBytes: bavail * bsize }
}
