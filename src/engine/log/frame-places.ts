/** Finds single batches in a log by the heads of their segments, and remembers where they are. */
import { AteError } from '../error.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { ManifestFile } from './manifest-file.js'
import type { BatchSource } from './read-batches.js'
import { openSegment } from './segment-open.js'
import type { SegmentScanner, StoredFrame } from './segment-scanner.js'
import { TaskQueue } from './task-queue.js'

/** Read at once: heads lie between contents, which are not needed. */
const WINDOW_BYTES = 64 * 1024
/** Of so many segments it is remembered where their frames begin: of small batches some 100 KiB each. */
const KEPT_SEGMENTS = 64

/** What is known of one segment: its frames follow each other, and so do their sequences. */
interface KnownFrames {
  readonly starts: number[]
  /** Up to here it was looked through. */
  end: number
}

/** A batch as it lies in the log, which must have been there when it was asked for. */
export interface FoundFrame {
  readonly segment: number
  readonly frame: StoredFrame
  readonly read: (position: number, length: number) => Promise<Uint8Array>
}

export class FramePlaces {
  readonly #source: BatchSource
  /** In order of use, the latest last. */
  readonly #known = new Map<number, KnownFrames>()
  #segments: readonly SegmentEntry[] = []
  /** However many ask, one segment is looked through at a time. */
  readonly #looking = new TaskQueue()

  constructor(source: BatchSource) {
    this.#source = source
  }

  /** `use` is given the batch. BAD_ARGUMENT when the log has it not, CHAIN_DAMAGED, INPUT_OUTPUT. */
  async withBatch<T>(sequence: number, use: (found: FoundFrame) => Promise<T>): Promise<T> {
    const isIn = (entry: SegmentEntry, index: number): boolean =>
      entry.firstSequence <= sequence && sequence < (this.#segments[index + 1]?.firstSequence ?? Infinity)
    return await this.#with(isIn, (entry) => ({ index: sequence - entry.firstSequence }), use)
  }

  /** The one that has something at that position of the segment. As `withBatch`. */
  async withPlace<T>(segment: number, position: number, use: (found: FoundFrame) => Promise<T>): Promise<T> {
    return await this.#with(
      ({ number }) => number === segment,
      () => ({ position }),
      use,
    )
  }

  async #with<T>(
    isIn: (entry: SegmentEntry, index: number) => boolean,
    wanted: (entry: SegmentEntry) => { index: number } | { position: number },
    use: (found: FoundFrame) => Promise<T>,
  ): Promise<T> {
    // The last one known may have been closed since, and others begun.
    for (let isAgain = false; ; isAgain = true) {
      const entry = this.#segments.find(isIn)
      if (entry !== undefined) {
        const found = await this.#inSegment(entry, wanted(entry), use)
        if (found !== undefined) return found.result
      }
      if (isAgain) throw new AteError('BAD_ARGUMENT', 'The log has no such batch.')
      const { storage, crypto, keys } = this.#source
      this.#segments = (await ManifestFile.load(storage, crypto, keys)).current.segments
    }
  }

  async #inSegment<T>(
    entry: SegmentEntry,
    wanted: { index: number } | { position: number },
    use: (found: FoundFrame) => Promise<T>,
  ): Promise<{ result: T } | undefined> {
    const { file, scanner } = await openSegment(this.#source, entry, 'read', WINDOW_BYTES)
    try {
      const known = this.#use(entry.number)
      const start = await this.#looking.run(() => startOf(scanner, known, wanted))
      if (start === undefined) return undefined
      const read = await scanner.frameAt(start)
      if (read.kind !== 'frame') throw new AteError('CHAIN_DAMAGED', 'A batch cannot be read from the log any more.')
      const { frame } = read
      if ('position' in wanted && wanted.position >= frame.endPosition) return undefined
      const found = { segment: entry.number, frame, read: (at: number, length: number) => file.read(at, length) }
      return { result: await use(found) }
    } finally {
      await file.close()
    }
  }

  #use(segment: number): KnownFrames {
    const known = this.#known.get(segment) ?? { starts: [], end: SEGMENT_HEADER_BYTES }
    this.#known.delete(segment)
    this.#known.set(segment, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > KEPT_SEGMENTS && oldest !== undefined) this.#known.delete(oldest)
    return known
  }
}

/** Where the frame begins; undefined when the segment has it not, or not yet. */
async function startOf(
  scanner: SegmentScanner,
  known: KnownFrames,
  wanted: { index: number } | { position: number },
): Promise<number | undefined> {
  const isFar = (): boolean => ('index' in wanted ? known.starts.length <= wanted.index : known.end <= wanted.position)
  while (isFar() && known.end < scanner.limit) {
    const at = known.end
    const read = await scanner.frameAt(at)
    if (read.kind !== 'frame') break
    known.starts.push(at)
    known.end = read.frame.endPosition
  }
  return 'index' in wanted ? known.starts[wanted.index] : lastUpTo(known.starts, wanted.position)
}

function lastUpTo(starts: readonly number[], position: number): number | undefined {
  let [from, to] = [0, starts.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((starts[middle] ?? 0) <= position) from = middle + 1
    else to = middle
  }
  return starts[from - 1]
}
