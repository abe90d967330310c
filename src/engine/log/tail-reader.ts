/**
 * Reads batches of this program's own log again, as they are stored, to bring them elsewhere: from where it last read, while
 * more is appended. Nothing is verified or opened: whoever takes them in does that.
 */
import { AteError } from '../error.js'
import { startOfWholeItem } from './batch-item.js'
import { FRAME_HEADER_BYTES } from './format/frame-head.js'
import { linkDigest } from './format/link.js'
import type { SegmentEntry } from './format/manifest-format.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { ManifestFile } from './manifest-file.js'
import type { BatchSource } from './read-batches.js'
import { openSegment } from './segment-open.js'
import { SegmentScanner, type StoredFrame } from './segment-scanner.js'
import type { SegmentFile } from './storage.js'

/** Most of what is read is small, and has just been written. */
const WINDOW_BYTES = 64 * 1024
/** What comes next is often as large as what came before: up to this it is read at once, with some room. */
const MAX_WINDOW_BYTES = 512 * 1024
const LEAST_MEMORY_BYTES = 2 * WINDOW_BYTES

export interface TailBatch {
  sequence: number
  /** Of its link. */
  digest: Uint8Array
  /**
   * The batch as an item (`batch-item.ts`), in pieces that have `pieceBytes` but for the last one. Each lasts until the next is
   * asked for; none after the next batch is.
   */
  pieces: (pieceBytes: number) => AsyncGenerator<ItemPiece>
}

export interface ItemPiece {
  bytes: Uint8Array
  more: boolean
}

/** Where the next frame belongs. */
interface Place {
  entry: SegmentEntry
  file: SegmentFile
  salt: Uint8Array
  position: number
  sequence: number
}

export class TailReader {
  readonly #source: BatchSource
  #place: Place | undefined
  #window = new Uint8Array(WINDOW_BYTES)
  #memory = new Uint8Array(0)

  constructor(source: BatchSource) {
    this.#source = source
  }

  /**
   * The batches from sequence `from` to `to`, which must be in the log already. One caller at a time. CHAIN_DAMAGED when they
   * are not there, INPUT_OUTPUT.
   */
  async *read(from: number, to: number): AsyncGenerator<TailBatch> {
    let place = this.#place?.sequence === from ? this.#place : await this.#move(from)
    let scanner = await this.#scan(place)
    for (let next = from; next <= to;) {
      const frame = await frameAt(scanner, place.position)
      if (frame === undefined) {
        place = await this.#move(next, place.entry)
        scanner = await this.#scan(place)
        continue
      }
      const { sequence } = frame.head.link
      if (sequence > next) throw missing(next)
      const batch = sequence === next ? this.#batchOf(scanner, place.file, frame) : undefined
      place.position = frame.endPosition
      place.sequence = sequence + 1
      if (batch === undefined) continue
      next++
      yield batch
    }
  }

  async close(): Promise<void> {
    const { file } = this.#place ?? {}
    this.#place = undefined
    await file?.close()
  }

  /** To the segment that has the batch, or the one behind `before`. */
  async #move(sequence: number, before?: SegmentEntry): Promise<Place> {
    await this.close()
    const { storage, crypto, keys } = this.#source
    const { segments } = (await ManifestFile.load(storage, crypto, keys)).current
    const entry = segments.findLast((each) => each.firstSequence <= sequence)
    if (entry === undefined || entry.number === before?.number) throw missing(sequence)
    const { file, header } = await openSegment(this.#source, entry)
    if (header === undefined) {
      await file.close()
      throw missing(sequence)
    }
    const { salt } = header
    this.#place = { entry, file, salt, position: SEGMENT_HEADER_BYTES, sequence: entry.firstSequence }
    return this.#place
  }

  /** What was read before may have been behind the end then. */
  async #scan({ file, salt }: Place): Promise<SegmentScanner> {
    const size = await file.size()
    return new SegmentScanner(this.#source.crypto, file, salt, size, size, this.#window.length, this.#window)
  }

  /** So much was read for one batch. Larger ones are read piece by piece. */
  #noteRead(bytes: number): void {
    const fitting = WINDOW_BYTES * Math.ceil((bytes + bytes / 8) / WINDOW_BYTES)
    const wanted = fitting > MAX_WINDOW_BYTES ? WINDOW_BYTES : fitting
    if (wanted !== this.#window.length) this.#window = new Uint8Array(wanted)
  }

  #batchOf(scanner: SegmentScanner, file: SegmentFile, frame: StoredFrame): TailBatch {
    const { link, linkBytes } = frame.head
    // Whether it lies in the window that is read.
    const isSmall = frame.endPosition - frame.position <= this.#window.length
    this.#noteRead(frame.endPosition - frame.position)
    return {
      sequence: link.sequence,
      digest: linkDigest(this.#source.crypto, linkBytes),
      pieces: (pieceBytes) => this.#pieces(isSmall ? scanner : undefined, file, frame, pieceBytes),
    }
  }

  /** Head and groups lie in the file as the item has them. */
  async *#pieces(
    scanner: SegmentScanner | undefined,
    file: SegmentFile,
    { position, bodyPosition, head }: StoredFrame,
    pieceBytes: number,
  ): AsyncGenerator<ItemPiece> {
    const headAt = position + FRAME_HEADER_BYTES
    const groupBytes = head.table.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
    const start = startOfWholeItem(bodyPosition - headAt, groupBytes)
    const end = bodyPosition + groupBytes
    const memory = this.#memoryFor(Math.min(start.length + end - headAt, pieceBytes))
    memory.set(start)
    let filled = start.length
    for (let at = headAt; at < end; filled = 0) {
      const length = Math.min(end - at, pieceBytes - filled)
      const target = memory.subarray(filled, filled + length)
      const bytes = await (scanner === undefined ? file.read(at, length, target) : scanner.bytes(at, length))
      if (bytes.length < length) throw missing(head.link.sequence)
      if (scanner !== undefined) target.set(bytes)
      at += length
      yield { bytes: memory.subarray(0, filled + length), more: at < end }
    }
  }

  /** Used again for every piece. */
  #memoryFor(bytes: number): Uint8Array {
    if (bytes > this.#memory.length) this.#memory = new Uint8Array(Math.max(bytes, LEAST_MEMORY_BYTES))
    return this.#memory
  }
}

/** Undefined where no frame is yet. */
async function frameAt(scanner: SegmentScanner, position: number): Promise<StoredFrame | undefined> {
  if (position >= scanner.limit) return undefined
  const read = await scanner.frameAt(position)
  return read.kind === 'frame' ? read.frame : undefined
}

function missing(sequence: number): AteError {
  return new AteError('CHAIN_DAMAGED', `Batch ${sequence} cannot be read from the log any more.`)
}
