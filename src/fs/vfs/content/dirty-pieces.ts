/**
 * What was written to a file since the last commit: pieces of staged memory, sorted by their place in the file, never
 * overlapping, none crossing a chunk. Written bytes are copied once, to where the committing thread seals them from.
 */
import type { RecordView } from '../../../engine/chain/record-view.js'
import { CHUNK_BYTES, chunkEnd, chunkStart } from '../records/extent-record.js'

export interface Piece {
  start: number
  length: number
  /** Staged memory; longer than `length` where room was left for the next write. */
  bytes: Uint8Array
}

/** Appends below this extend the piece before them; larger ones are pieces of their own. */
const EXTENDING_BYTES = 16 * 1024
/** How much larger a piece gets when it must grow: copying stays below a third of what is written. */
const GROWTH = 4

export class DirtyPieces {
  readonly list: Piece[] = []
  /** Sum of the lengths. */
  bytes = 0

  /** Index of the first piece that ends after `offset`. */
  indexAfter(offset: number): number {
    const list = this.list
    let low = 0
    let high = list.length
    // Appending is the usual case.
    const last = list[high - 1]
    if (last === undefined || last.start + last.length <= offset) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      const piece = list[middle]
      if (piece !== undefined && piece.start + piece.length <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  write(view: RecordView, offset: number, data: Uint8Array): void {
    const end = offset + data.length
    let at = offset
    let index = this.indexAfter(at)
    while (at < end) {
      const piece = this.list[index]
      if (piece !== undefined && piece.start <= at) {
        const stop = Math.min(end, piece.start + piece.length)
        piece.bytes.set(part(data, at - offset, stop - offset), at - piece.start)
        at = stop
        index++
      } else {
        const stop = Math.min(end, chunkEnd(at), piece?.start ?? end)
        index = this.#fillGap(view, index, at, part(data, at - offset, stop - offset))
        at = stop
      }
    }
  }

  /** Copies what lies in [offset, offset + length) to `target` at `targetStart`; the rest of it stays untouched. */
  copyTo(offset: number, length: number, target: Uint8Array, targetStart: number): void {
    const end = offset + length
    for (let index = this.indexAfter(offset); index < this.list.length; index++) {
      const piece = this.list[index]
      if (piece === undefined || piece.start >= end) return
      const from = Math.max(offset, piece.start)
      const to = Math.min(end, piece.start + piece.length)
      target.set(piece.bytes.subarray(from - piece.start, to - piece.start), targetStart + from - offset)
    }
  }

  /** Whether every byte of [offset, offset + length) is here. */
  covers(offset: number, length: number): boolean {
    const end = offset + length
    let at = offset
    for (let index = this.indexAfter(offset); at < end; index++) {
      const piece = this.list[index]
      if (piece === undefined || piece.start > at) return false
      at = piece.start + piece.length
    }
    return true
  }

  /** A copy of what lies in [offset, offset + length), safe from later writes. */
  snapshot(offset: number, length: number): DirtyPieces {
    const copy = new DirtyPieces()
    for (let index = this.indexAfter(offset); index < this.list.length; index++) {
      const piece = this.list[index]
      if (piece === undefined || piece.start >= offset + length) break
      copy.list.push({ start: piece.start, length: piece.length, bytes: piece.bytes.slice(0, piece.length) })
      copy.bytes += piece.length
    }
    return copy
  }

  /** Forgets what lies in [from, to). */
  cut(from: number, to: number): void {
    const list = this.list
    let index = this.indexAfter(from)
    const first = list[index]
    if (first !== undefined && first.start < from) {
      const end = first.start + first.length
      this.#shorten(first, from - first.start)
      index++
      if (end > to) {
        // Memory must not be shared: the left part could grow into the right one.
        const cutAt = to - first.start
        list.splice(index, 0, { start: to, length: end - to, bytes: first.bytes.subarray(cutAt, end - first.start) })
        this.bytes += end - to
        first.bytes = first.bytes.subarray(0, first.length)
        return
      }
    }
    let stop = index
    for (; stop < list.length; stop++) {
      const piece = list[stop]
      if (piece === undefined || piece.start >= to) break
      const end = piece.start + piece.length
      if (end > to) {
        piece.bytes = piece.bytes.subarray(to - piece.start)
        piece.length = end - to
        this.bytes -= to - piece.start
        piece.start = to
        break
      }
      this.bytes -= piece.length
    }
    list.splice(index, stop - index)
  }

  #shorten(piece: Piece, length: number): void {
    this.bytes -= piece.length - length
    piece.length = length
  }

  /** Stores `data` where no piece is, at `index` of the list; returns the index of what follows it. */
  #fillGap(view: RecordView, index: number, at: number, data: Uint8Array): number {
    this.bytes += data.length
    const before = this.list[index - 1]
    if (before !== undefined && before.start + before.length === at && at % CHUNK_BYTES !== 0) {
      if (this.#extend(view, before, data)) return index
    }
    const bytes = view.stage(data.length)
    bytes.set(data)
    this.list.splice(index, 0, { start: at, length: data.length, bytes })
    return index + 1
  }

  #extend(view: RecordView, piece: Piece, data: Uint8Array): boolean {
    const length = piece.length + data.length
    if (length > piece.bytes.length) {
      if (data.length >= EXTENDING_BYTES) return false
      const room = chunkStart(piece.start) + CHUNK_BYTES - piece.start
      const grown = view.stage(Math.min(room, Math.max(length, piece.length * GROWTH)))
      grown.set(piece.bytes.subarray(0, piece.length))
      piece.bytes = grown
    }
    piece.bytes.set(data, piece.length)
    piece.length = length
    return true
  }
}

/** A view of data[from, to); itself when that is all of it, which saves the usual write an allocation. */
function part(data: Uint8Array, from: number, to: number): Uint8Array {
  return from === 0 && to === data.length ? data : data.subarray(from, to)
}
