/** Which segments a log has when its manifest cannot tell: the files there are, by what their own headers say. */
import type { SegmentEntry } from './format/manifest-format.js'
import { segmentNumberOf } from './format/segment-name.js'
import { openSegment, type SegmentSource } from './segment-open.js'

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
