/**
 * Segment files that the manifest does not list. A crash leaves them only empty (made, not yet listed), and those are
 * removed. One that holds batches means that the manifest is older than the log.
 */
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { segmentName, segmentNumberOf, SPARE_NAME } from './format/segment-name.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { openSegment, type SegmentSource } from './segment-open.js'
import type { LogStorage } from './storage.js'
import type { Finding } from './types.js'

export interface Leftovers {
  /** Numbers of segment files behind the last one listed, without a batch. */
  empty: number[]
  /** One for each that holds batches, and for each listed segment without a file. */
  findings: Finding[]
  /** The highest number of any segment file or listed segment; 0 when there is none. */
  highestNumber: number
}

export async function findLeftovers(
  source: SegmentSource,
  names: readonly string[],
  segments: readonly SegmentEntry[],
): Promise<Leftovers> {
  const present = new Set(names.map(segmentNumberOf).filter((number) => number !== undefined))
  const last = segments.at(-1)?.number ?? 0
  const result: Leftovers = { empty: [], findings: [], highestNumber: Math.max(last, ...present) }
  for (const { number } of segments) {
    if (!present.has(number))
      result.findings.push({ kind: 'segment', message: 'the segment is missing', segment: number })
  }
  for (const number of present) {
    if (number <= last) continue
    if (!(await holdsBatches(source, number))) result.empty.push(number)
    else result.findings.push({ kind: 'manifest', message: 'the manifest is older than this segment', segment: number })
  }
  return result
}

export async function removeLeftovers(storage: LogStorage, { empty }: Leftovers): Promise<void> {
  for (const number of empty) await storage.remove(segmentName(number))
  await storage.remove(SPARE_NAME)
}

async function holdsBatches(source: SegmentSource, number: number): Promise<boolean> {
  const { file, header, scanner } = await openSegment(source, { number, firstSequence: 0, closing: undefined })
  try {
    return header !== undefined && (await scanner.findFrame(SEGMENT_HEADER_BYTES)) !== undefined
  } finally {
    await file.close()
  }
}
