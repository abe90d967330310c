/** Where groups of records lie in a closed segment: for giving back their space when they are forgotten. */
import { checkBatch, type BatchJudge } from './chain-state.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { groupsOf } from './groups-of-frame.js'
import { openSegment } from './segment-open.js'
import type { LogStorage } from './storage.js'
import { GROUP_RECORDS } from './types.js'

export interface RecordPlace {
  segment: number
  position: number
  storedBytes: number
}

/** Read at once: heads lie between contents, which are not needed. */
const WINDOW_BYTES = 64 * 1024

/** Those of batches up to `sequence`, in order. Nothing behind damage. INPUT_OUTPUT, UNSUPPORTED_FORMAT. */
export async function* recordPlaces(
  source: { storage: LogStorage; judge: BatchJudge },
  entry: SegmentEntry,
  sequence: number,
): AsyncGenerator<RecordPlace> {
  const { storage, judge } = source
  const { file, scanner } = await openSegment({ storage, ...judge }, entry, 'read', WINDOW_BYTES)
  try {
    for (let at = SEGMENT_HEADER_BYTES; at < scanner.limit;) {
      const read = await scanner.frameAt(at)
      if (read.kind !== 'frame') return
      const { head, endPosition } = read.frame
      if (head.link.sequence > sequence || checkBatch(judge, head) !== undefined) return
      for (const { kind, position, storedBytes } of groupsOf(read.frame))
        if (kind === GROUP_RECORDS) yield { segment: entry.number, position, storedBytes }
      at = endPosition
    }
  } finally {
    await file.close()
  }
}
