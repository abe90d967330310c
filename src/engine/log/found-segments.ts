/** What a log has when its manifest cannot tell: the files there are, by what they say themselves. */
import { macAuthor } from './batch-author.js'
import { FORMAT_FOUND } from './format/feature-flags.js'
import { type Forgotten, mayMissIn, type SegmentEntry } from './format/manifest-format.js'
import { segmentNumberOf } from './format/segment-name.js'
import { Replay } from './replay.js'
import { openSegment, type SegmentSource } from './segment-open.js'
import { START_OF_LOG } from './start-point.js'

/** In order. `firstSequence` is 0: nothing is known of it but from the segment itself. */
export async function foundSegments(source: SegmentSource, names: readonly string[]): Promise<SegmentEntry[]> {
  const numbers = names.map(segmentNumberOf).filter((number) => number !== undefined)
  const found: SegmentEntry[] = []
  let next = Infinity
  for (const number of numbers.sort((a, b) => b - a)) {
    const entry: SegmentEntry = { number, firstSequence: 0, closing: undefined }
    const first = await firstSequenceOf(source, entry)
    // Of a history that was left for an older copy: a later segment begins before it.
    if (first !== undefined && first >= next) continue
    next = first ?? next
    found.unshift(entry)
  }
  return found
}

/** Undefined when its header does not tell: whoever reads the segment says why. */
async function firstSequenceOf(source: SegmentSource, entry: SegmentEntry): Promise<number | undefined> {
  try {
    const { file, header } = await openSegment(source, entry)
    await file.close()
    return header?.firstSequence
  } catch {
    return undefined
  }
}

/**
 * What of these segments may be forgotten, by the word of their batches: they are gone through once for it. In distributed trust
 * nothing is: batches with proofs do not count.
 */
export async function foundForgotten(
  { storage, crypto, keys }: SegmentSource,
  segments: readonly SegmentEntry[],
): Promise<Forgotten | undefined> {
  let sequence = 0
  const ignore = (): void => undefined
  const replay = new Replay({
    storage,
    judge: { crypto, keys, author: macAuthor(crypto, keys.author) },
    segments,
    start: START_OF_LOG,
    durableSequence: 0,
    isTolerant: true,
    opensContent: false,
    mayMiss: (segment) => mayMissIn({ format: FORMAT_FOUND, segments }, segment),
    forgotten: Infinity,
    onBatch: ({ forgets }) => void (sequence = Math.max(sequence, forgets)),
    onFinding: ignore,
    onProgress: ignore,
  })
  await replay.run()
  return sequence === 0 ? undefined : { sequence, freed: 0 }
}
