/** Finds single batches in a log by the heads of their segments, and remembers where they are. */
import { AteError } from '../error.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { ManifestFile } from './manifest-file.js'
import type { BatchSource } from './read-batches.js'
import type { OpenSegment } from './segment-open.js'
import { SegmentScanner, type StoredFrame } from './segment-scanner.js'
import { SharedSegment } from './shared-segment.js'
import { TaskQueue } from './task-queue.js'

/** Read at once: heads lie between contents, which are not needed. */
const WINDOW_BYTES = 64 * 1024
/** Who asks for what is new asks for the next batch. */
const TAIL_WINDOW_BYTES = 8 * 1024
/** What one caller looks through before the next one may: a segment of small batches is read as a whole. */
const SLICE_BYTES = 1024 * 1024
/** Of so many segments it is remembered where their frames begin: of small batches some 100 KiB each. */
const KEPT_SEGMENTS = 64

/** What is known of one segment: its frames follow each other, and so do their sequences. */
interface KnownFrames {
  readonly starts: number[]
  /** Up to here it was looked through. */
  end: number
  /** The one that was read last. */
  latest?: StoredFrame
}

/** A batch as it lies in the log, which must have been there when it was asked for. */
export interface FoundFrame {
  readonly segment: number
  readonly frame: StoredFrame
  readonly read: (position: number, length: number) => Promise<Uint8Array>
}

/** Told how many bytes were read to find a batch, before more are: it may make the caller wait, and what it throws ends the search. */
export type Pay = (bytes: number) => Promise<void>

type Wanted = { readonly index: number } | { readonly position: number }

/** `isOver`: the segment has it not, or not yet. */
type Look = { readonly frame: StoredFrame | undefined; readonly isOver: boolean; readonly bytes: number }

export class FramePlaces {
  readonly #source: BatchSource
  /** In order of use, the latest last. */
  readonly #known = new Map<number, KnownFrames>()
  #segments: readonly SegmentEntry[] = []
  /** However many ask, one segment is looked through at a time. */
  readonly #looking = new TaskQueue()
  /** The one that was read last: who reads on reads there. */
  #open: SharedSegment | undefined
  #isClosed = false

  constructor(source: BatchSource) {
    this.#source = source
  }

  /** `use` is given the batch. BAD_ARGUMENT when the log has it not, CHAIN_DAMAGED, INPUT_OUTPUT, what `pay` throws. */
  async withBatch<T>(sequence: number, use: (found: FoundFrame) => Promise<T>, pay?: Pay): Promise<T> {
    const isIn = (entry: SegmentEntry, index: number): boolean =>
      entry.firstSequence <= sequence && sequence < (this.#segments[index + 1]?.firstSequence ?? Infinity)
    return await this.#with(isIn, (entry) => ({ index: sequence - entry.firstSequence }), use, pay)
  }

  /** Where the last frame that is known of those up to the batch begins, in its segment. */
  knownBefore(sequence: number): { segment: number; position: number } | undefined {
    const entry = this.#segments.findLast(({ firstSequence }) => firstSequence <= sequence)
    if (entry === undefined) return undefined
    const { number: segment, firstSequence } = entry
    const starts = this.#known.get(segment)?.starts ?? []
    const position = starts[Math.min(sequence - firstSequence, starts.length - 1)]
    return position === undefined ? undefined : { segment, position }
  }

  /** The one that has something at that position of the segment. As `withBatch`. */
  async withPlace<T>(segment: number, position: number, use: (found: FoundFrame) => Promise<T>): Promise<T> {
    return await this.#with(
      ({ number }) => number === segment,
      () => ({ position }),
      use,
      undefined,
    )
  }

  /** Resolves when its file is closed, unless somebody reads it: then that is closed after him. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#open?.letGo()
  }

  async #with<T>(
    isIn: (entry: SegmentEntry, index: number) => boolean,
    wanted: (entry: SegmentEntry) => Wanted,
    use: (found: FoundFrame) => Promise<T>,
    pay: Pay | undefined,
  ): Promise<T> {
    // The last one known may have been closed since, and others begun.
    for (let isAgain = false; ; isAgain = true) {
      const entry = this.#segments.find(isIn)
      if (entry !== undefined) {
        const found = await this.#inSegment(entry, wanted(entry), use, pay)
        if (found !== undefined) return found.result
      }
      if (isAgain) throw new AteError('BAD_ARGUMENT', 'The log has no such batch.')
      const { storage, crypto, keys } = this.#source
      this.#segments = (await ManifestFile.load(storage, crypto, keys)).current.segments
    }
  }

  async #inSegment<T>(
    entry: SegmentEntry,
    wanted: Wanted,
    use: (found: FoundFrame) => Promise<T>,
    pay: Pay | undefined,
  ): Promise<{ result: T } | undefined> {
    const known = this.#use(entry.number)
    for (;;) {
      const { frame, isOver, bytes } = await this.#looking.run(() =>
        this.#segmentOf(entry).use((opened) => this.#look(opened, entry, known, wanted)),
      )
      // It may take long: no file is held open meanwhile.
      if (bytes > 0) await pay?.(bytes)
      if (isOver) return undefined
      if (frame === undefined) continue
      if ('position' in wanted && wanted.position >= frame.endPosition) return undefined
      return await this.#segmentOf(entry).use(async ({ file }) => {
        const read = (at: number, length: number): Promise<Uint8Array> => file.read(at, length)
        return { result: await use({ segment: entry.number, frame, read }) }
      })
    }
  }

  #segmentOf(entry: SegmentEntry): SharedSegment {
    const open = this.#open
    if (open !== undefined && open.number === entry.number && !open.isOver) return open
    if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The chain is closed.')
    open?.letGo().catch(() => undefined) // it was only read
    this.#open = new SharedSegment(this.#source, entry)
    return this.#open
  }

  async #look({ file, salt }: OpenSegment, entry: SegmentEntry, known: KnownFrames, wanted: Wanted): Promise<Look> {
    const { latest } = known
    if (latest !== undefined && latest.position === knownStart(known, wanted))
      return { frame: latest, isOver: false, bytes: 0 }
    const size = await file.size()
    const window = entry.closing === undefined && latest !== undefined ? TAIL_WINDOW_BYTES : WINDOW_BYTES
    const limit = Math.min(size, entry.closing?.length ?? size)
    const scanner = new SegmentScanner(this.#source.crypto, file, salt, limit, limit, window)
    const isOver = await lookFor(scanner, known, wanted)
    const start = knownStart(known, wanted)
    if (start === undefined) return { frame: undefined, isOver, bytes: scanner.readBytes }
    if (known.latest?.position !== start) {
      const read = await scanner.frameAt(start)
      if (read.kind !== 'frame') throw new AteError('CHAIN_DAMAGED', 'A batch cannot be read from the log any more.')
      known.latest = read.frame
    }
    return { frame: known.latest, isOver: false, bytes: scanner.readBytes }
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

/** Looks through the segment until the frame is known, or enough was read; true when the segment ends without it. */
async function lookFor(scanner: SegmentScanner, known: KnownFrames, wanted: Wanted): Promise<boolean> {
  while (knownStart(known, wanted) === undefined) {
    if (known.end >= scanner.limit) return true
    if (scanner.readBytes >= SLICE_BYTES) return false
    const at = known.end
    const read = await scanner.frameAt(at)
    if (read.kind !== 'frame') return true
    known.starts.push(at)
    known.end = read.frame.endPosition
    known.latest = read.frame
  }
  return false
}

/** Where the frame begins; undefined when it was not looked so far. */
function knownStart(known: KnownFrames, wanted: Wanted): number | undefined {
  if ('index' in wanted) return known.starts[wanted.index]
  return wanted.position < known.end ? lastUpTo(known.starts, wanted.position) : undefined
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
