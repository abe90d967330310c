/** Where groups of records lie in a closed segment: for giving back their space when they are forgotten. */
import { checkBatch, type BatchJudge } from './chain-state.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
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
    for (let position = SEGMENT_HEADER_BYTES; position < scanner.limit;) {
      const read = await scanner.frameAt(position)
      if (read.kind !== 'frame') return
      const { head, bodyPosition, endPosition } = read.frame
      if (head.link.sequence > sequence || checkBatch(judge, head) !== undefined) return
      let at = bodyPosition
      for (const { kind, storedBytes } of head.table) {
        if (kind === GROUP_RECORDS) yield { segment: entry.number, position: at, storedBytes }
        at += storedBytes
      }
      position = endPosition
    }
  } finally {
    await file.close()
  }
}
