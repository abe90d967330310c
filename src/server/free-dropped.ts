/** Gives back the space of bodies that the chain has dropped: where they lie only the tables of its batches tell. */
import { AteError } from '../engine/error.js'
import { SpaceFreer, type FreePlace } from '../engine/chain/compaction/space-freer.js'
import { ManifestFile } from '../engine/log/manifest-file.js'
import { openSegment } from '../engine/log/segment-open.js'
import type { SegmentEntry } from '../engine/log/format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from '../engine/log/format/segment-header.js'
import type { BatchSource } from '../engine/log/index.js'
import { GROUP_CONTENT, type NumberRange } from '../engine/log/types.js'
import type { RelayLog } from './relay-log.js'

/** Only closed segments are looked at, as everywhere. A crash before the end of it, or ABORTED, leaves the space taken. */
export async function freeDropped(
  log: RelayLog,
  numbers: readonly NumberRange[],
  signal: AbortSignal,
): Promise<number> {
  const { source } = log
  const closed = log.closedSegments()
  const freer = new SpaceFreer(source.storage)
  await log.allowDrops()
  const { segments } = (await ManifestFile.load(source.storage, source.crypto, source.keys)).current
  let bytes = 0
  for (const entry of segments) {
    if (!closed.has(entry.number) || !(await freer.canFree(entry.number))) continue
    bytes += await freer.free(await placesIn(source, entry, numbers, signal))
  }
  return bytes
}

async function placesIn(
  source: BatchSource,
  entry: SegmentEntry,
  numbers: readonly NumberRange[],
  signal: AbortSignal,
): Promise<FreePlace[]> {
  const places: FreePlace[] = []
  const { file, scanner } = await openSegment(source, entry)
  try {
    for (let position = SEGMENT_HEADER_BYTES; position < scanner.limit;) {
      if (signal.aborted) throw new AteError('ABORTED', 'The chain is closed.')
      const read = await scanner.frameAt(position)
      if (read.kind !== 'frame') break
      let at = read.frame.bodyPosition
      for (const { kind, number, storedBytes } of read.frame.head.table) {
        if (kind === GROUP_CONTENT && isIn(numbers, number))
          places.push({ segment: entry.number, position: at, storedBytes })
        at += storedBytes
      }
      position = read.frame.endPosition
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
