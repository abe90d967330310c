/** The digest of a batch that lies before the point where reading begins, from the heads of its segment. */
import { checkBatch, stateAfter, stateBefore, type BatchJudge } from './chain-state.js'
import { FRAME_ALIGNMENT_BYTES, type FrameHead } from './format/frame-head.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { openSegment } from './segment-open.js'
import type { SegmentScanner } from './segment-scanner.js'
import type { LogStorage } from './storage.js'

/** Undefined when neither the batch nor the one after it can be read: its digest is told by either. */
export async function digestOfBatch(
  storage: LogStorage,
  judge: BatchJudge,
  segments: readonly SegmentEntry[],
  sequence: number,
): Promise<Uint8Array | undefined> {
  const entry = segments.findLast(({ firstSequence }) => firstSequence <= sequence)
  if (entry === undefined) return undefined
  const segment = await openSegment({ storage, ...judge }, entry).catch(() => undefined)
  if (segment === undefined) return undefined
  try {
    for await (const head of heads(segment.scanner)) {
      const { sequence: at } = head.link
      if ((at !== sequence && at !== sequence + 1) || checkBatch(judge, head) !== undefined) continue
      return at === sequence ? stateAfter(judge.crypto, head).digest : stateBefore(head).digest
    }
    return undefined
  } finally {
    await segment.file.close()
  }
}

async function* heads(scanner: SegmentScanner): AsyncGenerator<FrameHead> {
  let position: number | undefined = SEGMENT_HEADER_BYTES
  while (position !== undefined) {
    const read = await scanner.frameAt(position)
    if (read.kind === 'frame') yield read.frame.head
    position =
      read.kind === 'frame' ? read.frame.endPosition : await scanner.findFrame(position + FRAME_ALIGNMENT_BYTES)
  }
}
