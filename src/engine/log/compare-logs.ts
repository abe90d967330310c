/** Where a log ends, and whether another one has what it has: what tells an older copy from a newer and a forked one. */
import { equalBytes } from '../bytes/equal.js'
import { authorFor } from './batch-author.js'
import { digestOfBatch } from './digest-of-batch.js'
import { NO_DIGEST } from './format/link.js'
import { ManifestFile } from './manifest-file.js'
import { openLog } from './open-log.js'
import type { BatchSource } from './read-batches.js'

/** The last batch of a log. */
export interface LogEnd {
  /** 0 for an empty log. */
  sequence: number
  /** Of its link: stands for all history up to it. */
  digest: Uint8Array
}

/** By its manifest, and by what follows the last closed segment; changes nothing. What `openLog` throws. */
export async function endOfLog({ storage, crypto, keys }: BatchSource): Promise<LogEnd> {
  const { segments } = (await ManifestFile.load(storage, crypto, keys)).current
  const last = segments.findLast(({ closing }) => closing !== undefined)
  const closing = last?.closing
  const from =
    last === undefined || closing === undefined
      ? undefined
      : { sequence: closing.lastSequence, digest: closing.lastDigest, segment: last.number, position: closing.length }
  const { log } = await openLog({ storage, crypto, keys, clock: () => 0, readOnly: true, from, onBatch: () => {} })
  await log.close()
  return { sequence: log.head?.sequence ?? 0, digest: log.head?.digest ?? NO_DIGEST }
}

/** True when the history up to `end` is the log's. */
export async function hasHistory({ storage, crypto, keys }: BatchSource, end: LogEnd): Promise<boolean> {
  if (end.sequence === 0) return true
  const { format, segments } = (await ManifestFile.load(storage, crypto, keys)).current
  const judge = { crypto, keys, author: authorFor(format, crypto, keys.author) }
  const digest = await digestOfBatch(storage, judge, segments, end.sequence)
  return digest !== undefined && equalBytes(digest, end.digest)
}
