/**
 * Where to begin reading: at the start, or behind a point that a cache has taken in, if the log really has that point.
 * The cache's word is authentic (it is sealed), so a link with the same digest proves all batches before it.
 */
import { equalBytes } from '../bytes/equal.js'
import { checkBatch, EMPTY_CHAIN, stateAfter, stateBefore, type BatchJudge, type ChainState } from './chain-state.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { openSegment, type OpenSegment } from './segment-open.js'
import type { SegmentScanner } from './segment-scanner.js'
import type { LogStorage } from './storage.js'
import type { LogPoint } from './types.js'

export interface StartPoint {
  /** Index of the segment in the manifest's list. */
  index: number
  /** Where the next frame belongs. */
  position: number
  state: ChainState
  /** Where the last frame before `position` begins, when that is known. */
  lastPosition: number | undefined
}

export const START_OF_LOG: StartPoint = {
  index: 0,
  position: SEGMENT_HEADER_BYTES,
  state: EMPTY_CHAIN,
  lastPosition: undefined,
}

/** Undefined when the log does not have `point`: it is ahead, of another history, or damaged there. */
export async function findPoint(
  storage: LogStorage,
  judge: BatchJudge,
  segments: readonly SegmentEntry[],
  point: LogPoint,
): Promise<StartPoint | undefined> {
  const index = segments.findIndex(({ number }) => number === point.segment)
  const entry = segments[index]
  if (entry === undefined || point.position > (entry.closing?.length ?? Infinity)) return undefined
  let segment: OpenSegment
  try {
    segment = await openSegment({ storage, ...judge }, entry)
  } catch {
    // Whatever it is, the replay meets it again and says so.
    return undefined
  }
  try {
    if (entry.closing?.length === point.position) {
      const found = await frameEndingAt(judge, segment.scanner, entry.closing.lastPosition, point)
      return found === undefined ? undefined : { index, ...found }
    }
    // Not in a segment left open: what follows there may be torn, and then the point's own frame is its last.
    const following = entry.closing && (await stateBeforeFrameAt(judge, segment.scanner, point))
    if (following !== undefined) return { index, position: point.position, state: following, lastPosition: undefined }
    const found = await searchFrom(judge, segment, point)
    return found === undefined ? undefined : { index, ...found }
  } finally {
    await segment.file.close()
  }
}

/** An authentic batch follows the point and says what came before. */
async function stateBeforeFrameAt(
  judge: BatchJudge,
  scanner: SegmentScanner,
  point: LogPoint,
): Promise<ChainState | undefined> {
  const read = await scanner.frameAt(point.position)
  if (read.kind !== 'frame' || checkBatch(judge, read.frame.head) !== undefined) return undefined
  const state = stateBefore(read.frame.head)
  return state.sequence === point.sequence && equalBytes(state.digest, point.digest) ? state : undefined
}

type Found = Omit<StartPoint, 'index'>

/** The point's own frame, found by going through the heads of the segment. */
async function searchFrom(
  judge: BatchJudge,
  { scanner, header }: OpenSegment,
  point: LogPoint,
): Promise<Found | undefined> {
  if (header === undefined) return undefined
  let position = SEGMENT_HEADER_BYTES
  while (position < point.position) {
    const read = await scanner.frameAt(position)
    if (read.kind !== 'frame') return undefined
    if (read.frame.endPosition === point.position) return await frameEndingAt(judge, scanner, position, point)
    position = read.frame.endPosition
  }
  return undefined
}

async function frameEndingAt(
  judge: BatchJudge,
  scanner: SegmentScanner,
  lastPosition: number,
  point: LogPoint,
): Promise<Found | undefined> {
  const read = await scanner.frameAt(lastPosition)
  if (read.kind !== 'frame' || read.frame.endPosition !== point.position) return undefined
  // The point's digest covers the link only: the author's count must be authentic as well.
  if (checkBatch(judge, read.frame.head) !== undefined) return undefined
  const state = stateAfter(judge.crypto, read.frame.head)
  if (state.sequence !== point.sequence || !equalBytes(state.digest, point.digest)) return undefined
  return { position: point.position, state, lastPosition }
}
