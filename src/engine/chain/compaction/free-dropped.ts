/**
 * Gives back the space of bodies that the chain has dropped, in a log whose index does not tell where they lie: a server has none,
 * and that of a copy has taken in the drop before it was known to be part of the chain. The tables of the batches tell.
 */
import { AteError } from '../../error.js'
import type { SegmentEntry } from '../../log/format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from '../../log/format/segment-header.js'
import { groupsOf } from '../../log/groups-of-frame.js'
import type { BatchSource } from '../../log/index.js'
import { ManifestFile } from '../../log/manifest-file.js'
import { openSegment } from '../../log/segment-open.js'
import { GROUP_CONTENT, type NumberRange } from '../../log/types.js'
import { type FreePlace, SpaceFreer } from './space-freer.js'

/** Read at once: heads lie between contents, which are not needed. */
const WINDOW_BYTES = 64 * 1024

export interface DroppedNumbers {
  readonly numbers: readonly NumberRange[]
  /** Batches from this one on are not touched: a drop is of what came before it. */
  readonly before: number
}

/**
 * Only closed segments are looked at, as everywhere; the log must allow drops (`Log.allowDrops`). `numbers` ascend and do not
 * touch. Returns how many bytes were given back, durably. A crash before the end of it, or ABORTED, leaves the space taken.
 */
export async function freeDropped(source: BatchSource, dropped: DroppedNumbers, signal: AbortSignal): Promise<number> {
  const freer = new SpaceFreer(source.storage)
  const { segments } = (await ManifestFile.load(source.storage, source.crypto, source.keys)).current
  let bytes = 0
  for (const entry of segments) {
    if (entry.closing === undefined || entry.firstSequence >= dropped.before) continue
    if (!(await freer.canFree(entry.number))) continue
    bytes += await freer.free(await placesIn(source, entry, dropped, signal))
  }
  return bytes
}

async function placesIn(
  source: BatchSource,
  entry: SegmentEntry,
  { numbers, before }: DroppedNumbers,
  signal: AbortSignal,
): Promise<FreePlace[]> {
  const places: FreePlace[] = []
  const { file, scanner } = await openSegment(source, entry, 'read', WINDOW_BYTES)
  try {
    for (let at = SEGMENT_HEADER_BYTES; at < scanner.limit;) {
      if (signal.aborted) throw new AteError('ABORTED', 'The chain is closed.')
      const read = await scanner.frameAt(at)
      if (read.kind !== 'frame' || read.frame.head.link.sequence >= before) break
      for (const { kind, number, position, storedBytes } of groupsOf(read.frame))
        if (kind === GROUP_CONTENT && isIn(numbers, number))
          places.push({ segment: entry.number, position, storedBytes })
      at = read.frame.endPosition
    }
  } finally {
    await file.close()
  }
  return places
}

/** `ranges` ascend. */
function isIn(ranges: readonly NumberRange[], number: number): boolean {
  let [low, high] = [0, ranges.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const range = ranges[middle]
    if (range === undefined) return false
    if (number < range.from) high = middle - 1
    else if (number > range.to) low = middle + 1
    else return true
  }
  return false
}
