/**
 * File content: uncommitted pieces over committed extents over holes. Reads see exactly that; a commit moves the pieces
 * into bodies and extents. Times, sizes of callers' requests and space are the callers' business.
 */
import type { BodySlice, RecordView } from '../../../engine/chain/record-view.js'
import { Fetches } from '../../../engine/chain/fetches.js'
import { isAteError } from '../../../engine/error.js'
import { DirtyPieces, type Piece } from './dirty-pieces.js'
import { ExtentMap } from './extent-map.js'
import { chunkStart, type Extent } from '../records/extent-record.js'
import { CONTENT_KEPT, CONTENT_NONE, type Inode } from '../inodes/inode.js'
import { withFilledPages } from './page-fill.js'
import type { Answer } from '../types.js'

export class Content {
  readonly #view: RecordView
  readonly #extents: ExtentMap
  /** Pages of which only a part is new are written whole, which needs room that nobody has asked for. */
  fillsPages = true

  constructor(view: RecordView, onWarning: (message: string) => void) {
    this.#view = view
    this.#extents = new ExtentMap(view, onWarning)
  }

  /** Copies [offset, offset + length) of the file, which lies below its size, to `target` at `start`. */
  read(inode: Inode, offset: number, length: number, target: Uint8Array, start: number): Answer<number> {
    const { pieces } = inode
    if (pieces?.covers(offset, length) === true) {
      pieces.copyTo(offset, length, target, start)
      return length
    }
    const fetches = new Fetches()
    let at = offset
    const end = offset + length
    for (const extent of this.#extents.overlapping(inode, offset, end)) {
      if (extent.start > at) target.fill(0, start + at - offset, start + extent.start - offset)
      at = Math.min(end, extent.start + extent.length)
      fetches.add(() => this.#copyExtent(extent, offset, length, target, start))
    }
    if (at < end) target.fill(0, start + at - offset, start + length)
    if (!fetches.isEmpty) return this.#finishRead(inode, fetches, offset, length, target, start)
    pieces?.copyTo(offset, length, target, start)
    return length
  }

  /** The slow end of a read. What lies in memory is what it was when the read was asked for. */
  async #finishRead(
    inode: Inode,
    fetches: Fetches,
    offset: number,
    length: number,
    target: Uint8Array,
    start: number,
  ): Promise<number> {
    const pieces = inode.pieces?.snapshot(offset, length)
    await fetches.settled()
    pieces?.copyTo(offset, length, target, start)
    return length
  }

  write(inode: Inode, offset: number, data: Uint8Array): void {
    inode.pieces ??= new DirtyPieces()
    inode.pieces.write(this.#view, offset, data)
    inode.size = Math.max(inode.size, offset + data.length)
  }

  /** Bytes cut off are gone for good: growing again reads zeroes. */
  truncate(inode: Inode, size: number): void {
    if (size < inode.size) this.punch(inode, size, Number.MAX_SAFE_INTEGER)
    inode.size = size
  }

  /** Makes a hole of [from, to). */
  punch(inode: Inode, from: number, to: number): void {
    this.#extents.cut(inode, from, to)
    inode.pieces?.cut(from, to)
    if (inode.pieces?.bytes === 0) inode.pieces = undefined
  }

  /**
   * Puts all that the records say of its content into the inode, which is about to lose them. False when that is more than
   * `limit` extents, or damaged: then nothing has changed.
   */
  keep(inode: Inode, limit: number): boolean {
    try {
      const extents = this.#extents.overlapping(inode, 0, inode.size, limit + 1)
      if (extents.length > limit) return false
      inode.kept = extents
    } catch (error) {
      if (isAteError(error)) return false
      throw error
    }
    inode.content = CONTENT_KEPT
    return true
  }

  /** Gives `inode` the content of another one, which has none then. */
  take(inode: Inode, from: Inode): void {
    this.clear(inode)
    this.#extents.take(inode, from)
    inode.pieces = from.pieces
    inode.size = from.size
    from.pieces = undefined
    from.size = 0
  }

  /** Forgets everything, for an inode that is going away. */
  clear(inode: Inode): void {
    inode.pieces = undefined
    this.#extents.clear(inode)
  }

  /** First offset >= `offset` with data; undefined when only a hole follows. */
  nextData(inode: Inode, offset: number): number | undefined {
    const { pieces } = inode
    const piece = pieces?.list[pieces.indexAfter(offset)]
    const extent = this.#extents.overlapping(inode, offset, inode.size, 1)[0]
    const start = Math.min(piece?.start ?? Infinity, extent?.start ?? Infinity)
    return start === Infinity ? undefined : Math.max(start, offset)
  }

  /** First offset >= `offset` in a hole; the end of the file counts as one. */
  nextHole(inode: Inode, offset: number): number {
    if (inode.content !== CONTENT_NONE && inode.allocated === inode.size) return inode.size
    const { pieces } = inode
    let at = offset
    for (;;) {
      const before = at
      for (let i = pieces?.indexAfter(at) ?? 0; ; i++) {
        const piece = pieces?.list[i]
        if (piece === undefined || piece.start > at) break
        at = piece.start + piece.length
      }
      for (const extent of this.#extents.overlapping(inode, at, inode.size, 64)) {
        if (extent.start > at) break
        at = extent.start + extent.length
      }
      if (at === before || at >= inode.size) return Math.min(at, inode.size)
    }
  }

  /** Moves the uncommitted pieces into bodies of the current transaction. */
  flush(inode: Inode): void {
    const { pieces } = inode
    if (pieces === undefined) return
    inode.pieces = undefined
    const list = withFilledPages(pieces.list, inode.extentEnd, (from, to) =>
      this.fillsPages ? this.#committed(inode, from, to) : undefined,
    )
    for (let first = 0; first < list.length;) {
      const last = endOfRun(list, first)
      this.#flushRun(inode, list.slice(first, last))
      first = last
    }
  }

  /** The pieces lie side by side in one chunk; where they do so in a body too they become one extent. */
  #flushRun(inode: Inode, run: readonly Piece[]): void {
    let at = run[0]?.start ?? 0
    const end = run.reduce((sum, piece) => sum + piece.length, at)
    this.#extents.cut(inode, at, end)
    let joined: BodySlice | undefined
    for (const { bytes, length } of run) {
      const slice = this.#view.addBody(bytes.length === length ? bytes : bytes.subarray(0, length), inode.size)
      if (joined !== undefined && joined.body === slice.body && joined.offset + joined.length === slice.offset) {
        joined = { body: joined.body, offset: joined.offset, length: joined.length + slice.length }
        continue
      }
      if (joined !== undefined) {
        this.#extents.add(inode, at, joined)
        at += joined.length
      }
      joined = slice
    }
    if (joined !== undefined) this.#extents.add(inode, at, joined)
  }

  /** Staged copy of [from, to) if all of it is committed content that can be had without waiting. */
  #committed(inode: Inode, from: number, to: number): Uint8Array | undefined {
    const extents = this.#extents.overlapping(inode, from, to)
    let at = from
    for (const extent of extents) {
      if (extent.start > at) return undefined
      at = extent.start + extent.length
    }
    if (at < to) return undefined
    const length = to - from
    // Nobody promised this space: on a full disk the file falls into smaller extents instead.
    const wait = this.#view.reserve(length, false)
    if (wait !== undefined) {
      wait.catch(() => undefined)
      return undefined
    }
    const bytes = new Uint8Array(length)
    try {
      for (const extent of extents) {
        const fetch = this.#copyExtent(extent, from, length, bytes, 0)
        if (fetch === undefined) continue
        fetch.catch(() => undefined)
        return undefined
      }
    } catch {
      // Damaged: what is written beside it must not fail for that.
      return undefined
    }
    const staged = this.#view.stage(length)
    staged.set(bytes)
    return staged
  }

  /** Copies what [offset, offset + length) of the file has of the extent to its place behind `start`. */
  #copyExtent(
    extent: Extent,
    offset: number,
    length: number,
    target: Uint8Array,
    start: number,
  ): Promise<void> | undefined {
    const from = Math.max(offset, extent.start)
    const to = Math.min(offset + length, extent.start + extent.length)
    const slice = { body: extent.body, offset: extent.offset + from - extent.start, length: to - from }
    return this.#view.copyBody(slice, target, start + from - offset)
  }
}

/** End of the pieces that follow each other without a gap in one chunk. */
function endOfRun(list: readonly Piece[], first: number): number {
  const begin = list[first]
  if (begin === undefined) return first + 1
  const chunk = chunkStart(begin.start)
  let end = begin.start + begin.length
  let index = first + 1
  for (; index < list.length; index++) {
    const piece = list[index]
    if (piece?.start !== end || chunkStart(piece.start) !== chunk) break
    end += piece.length
  }
  return index
}
