/** What batches of a log drop, read again without their content. For who has the keys of the chain. */
import { AteError } from '../error.js'
import { MAX_DROPPED_BODIES } from '../limits.js'
import { decodeDrop } from './format/drop-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { GroupOpener } from './group-opener.js'
import { groupsOf } from './groups-of-frame.js'
import { ManifestFile } from './manifest-file.js'
import type { BatchSource } from './read-batches.js'
import { openSegment } from './segment-open.js'
import type { SegmentScanner, StoredFrame } from './segment-scanner.js'
import { GROUP_DROP, type NumberRange } from './types.js'

export interface DropInLog {
  /** Of the batch. */
  sequence: number
  /** Ascending, not touching. */
  numbers: readonly NumberRange[]
}

/** Read at once: heads lie between contents, which are not needed. */
const WINDOW_BYTES = 64 * 1024

/** Drops of the batches from sequence `from` to `to`, which must be in the log already. CHAIN_DAMAGED, INPUT_OUTPUT. */
export async function* dropsInLog(source: BatchSource, from: number, to: number): AsyncGenerator<DropInLog> {
  const { storage, crypto, keys } = source
  const { segments } = (await ManifestFile.load(storage, crypto, keys)).current
  const opener = new GroupOpener(crypto, keys)
  try {
    for (const [i, entry] of segments.entries()) {
      const isBefore = (segments[i + 1]?.firstSequence ?? Infinity) <= from
      if (!isBefore && entry.firstSequence <= to) yield* dropsOf(source, opener, entry, from, to)
    }
  } finally {
    opener.wipe()
  }
}

async function* dropsOf(
  source: BatchSource,
  opener: GroupOpener,
  entry: SegmentEntry,
  from: number,
  to: number,
): AsyncGenerator<DropInLog> {
  const { file, scanner } = await openSegment(source, entry, 'read', WINDOW_BYTES)
  try {
    for (let position = SEGMENT_HEADER_BYTES; position < scanner.limit;) {
      const read = await scanner.frameAt(position)
      if (read.kind !== 'frame' || read.frame.head.link.sequence > to) return
      position = read.frame.endPosition
      const { sequence } = read.frame.head.link
      if (sequence < from) continue
      const numbers = await dropsIn(scanner, opener, read.frame)
      if (numbers.length > 0) yield { sequence, numbers }
    }
  } finally {
    await file.close()
  }
}

async function dropsIn(scanner: SegmentScanner, opener: GroupOpener, frame: StoredFrame): Promise<NumberRange[]> {
  const numbers: NumberRange[] = []
  for (const { kind, number, position, storedBytes } of groupsOf(frame)) {
    if (kind !== GROUP_DROP) continue
    const opened = opener.open(await scanner.bytes(position, storedBytes), { kind, number })
    if (opened === undefined)
      throw new AteError('CHAIN_DAMAGED', `What batch ${frame.head.link.sequence} drops cannot be read any more.`)
    // As where a batch is judged: beyond that it is nothing that a compaction writes.
    if (numbers.length <= MAX_DROPPED_BODIES) for (const range of decodeDrop(opened)) numbers.push(range)
  }
  return numbers
}
