/** Where a log ends, and whether another one has what it has: what tells an older copy from a newer and a forked one. */
import { equalBytes } from '../bytes/equal.js'
import { judgeFor } from './chain-state.js'
import { digestOfBatch } from './digest-of-batch.js'
import { NO_DIGEST } from './format/link.js'
import { ManifestFile } from './manifest-file.js'
import { openLog } from './open-log.js'
import type { BatchSource } from './read-batches.js'
import type { LogPoint } from './types.js'

/** The last batch of a log. */
export interface LogEnd {
  /** 0 for an empty log. */
  sequence: number
  /** Of its link: stands for all history up to it. */
  digest: Uint8Array
}

/** The end of the last segment that nothing is written to any more. NOT_A_CHAIN, BAD_FORMAT. */
export async function lastClosedPoint({ storage, crypto, keys }: BatchSource): Promise<LogPoint | undefined> {
  const { segments } = (await ManifestFile.load(storage, crypto, keys)).current
  const last = segments.findLast(({ closing }) => closing !== undefined)
  const closing = last?.closing
  if (last === undefined || closing === undefined) return undefined
  return { sequence: closing.lastSequence, digest: closing.lastDigest, segment: last.number, position: closing.length }
}

/** By its manifest, and by what follows the last closed segment; changes nothing. What `openLog` throws. */
export async function endOfLog(source: BatchSource): Promise<LogEnd> {
  const from = await lastClosedPoint(source)
  const { log } = await openLog({ ...source, clock: () => 0, readOnly: true, from, onBatch: () => {} })
  await log.close()
  return { sequence: log.head?.sequence ?? 0, digest: log.head?.digest ?? NO_DIGEST }
}

/** True when the history up to `end` is the log's. */
export async function hasHistory(source: BatchSource, end: LogEnd): Promise<boolean> {
  if (end.sequence === 0) return true
  const { storage, crypto, keys } = source
  const { format, segments } = (await ManifestFile.load(storage, crypto, keys)).current
  const digest = await digestOfBatch(storage, judgeFor(source, format), segments, end.sequence)
  return digest !== undefined && equalBytes(digest, end.digest)
}
