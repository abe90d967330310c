/**
 * The committed content of files: one extent in the inode itself, or extent records. What is not covered is a hole. All
 * changes are made at once (records through the view, the inode's own extent by marking it dirty, which callers do).
 */
import type { BodySlice, RecordView } from '../../../engine/chain/record-view.js'
import { contentDamaged } from '../damage-messages.js'
import { CHUNK_BYTES, chunkStart, decodeExtent, encodeExtent, type Extent } from '../records/extent-record.js'
import { CONTENT_INLINE, CONTENT_KEPT, CONTENT_NONE, CONTENT_RECORDS, type Inode } from '../inodes/inode.js'
import { KIND_EXTENT, MAX_LOW } from '../records/record-kinds.js'

/** Records asked for at first (a chunk seldom has more) and then at a time. */
const FIRST_PAGE = 24
const PAGE = 256
/** A cut of more than this goes with one range deletion, which is dear for its readers until the index has taken it in. */
const LARGE_CUT_BYTES = 16 * CHUNK_BYTES

export class ExtentMap {
  readonly #view: RecordView
  readonly #onWarning: (message: string) => void

  constructor(view: RecordView, onWarning: (message: string) => void) {
    this.#view = view
    this.#onWarning = onWarning
  }

  /** The extents that overlap [from, to), in order, whole; at most `limit` of them. */
  overlapping(inode: Inode, from: number, to: number, limit = Infinity): Extent[] {
    const found: Extent[] = []
    if (from >= to || from >= inode.extentEnd) return found
    if (inode.content === CONTENT_INLINE) {
      found.push(inlineExtent(inode))
    } else if (inode.content === CONTENT_KEPT) {
      const { kept = [] } = inode
      return kept.filter(({ start, length }) => start < to && start + length > from).slice(0, limit)
    } else if (inode.content === CONTENT_RECORDS) {
      let low = chunkStart(from)
      // Where one begins right here, none before it comes into question, and often none behind it.
      const exact = this.#view.get(KIND_EXTENT, inode.ino, from)
      if (exact !== undefined) {
        const extent = this.#decode(inode, from, exact)
        found.push(extent)
        low = from + extent.length
        if (low >= to || limit === 1) return found
      }
      for (let page = FIRST_PAGE; ; page = PAGE) {
        const items = this.#view.range(KIND_EXTENT, inode.ino, low, Math.min(to - 1, MAX_LOW), page)
        for (const item of items) {
          const extent = this.#decode(inode, item.low, item.value)
          if (extent.start + extent.length > from) found.push(extent)
          if (found.length >= limit) return found
        }
        const last = items[page - 1]
        if (last === undefined) break
        low = last.low + 1
      }
    }
    return found
  }

  #decode(inode: Inode, start: number, record: Uint8Array): Extent {
    try {
      return decodeExtent(start, record)
    } catch (error) {
      this.#onWarning(contentDamaged(inode.ino))
      throw error
    }
  }

  /** Adds content where there is none. */
  add(inode: Inode, start: number, slice: BodySlice): void {
    const { body, offset, length } = slice
    if (inode.content === CONTENT_NONE && start === 0) {
      inode.content = CONTENT_INLINE
      inode.body = body
      inode.bodyOffset = offset
      inode.bodyLength = length
    } else {
      this.#useRecords(inode)
      this.#put(inode, { start, length, body, offset })
    }
    inode.allocated += length
    inode.extentEnd = Math.max(inode.extentEnd, start + length)
  }

  /** Makes a hole of [from, to). */
  cut(inode: Inode, from: number, to: number): void {
    if (from >= to || from >= inode.extentEnd) return
    if (from === 0 && to >= inode.extentEnd) {
      this.clear(inode)
      return
    }
    if (inode.content === CONTENT_INLINE && to >= inode.extentEnd) {
      inode.allocated = inode.bodyLength = inode.extentEnd = from
      return
    }
    this.#useRecords(inode)
    const isLarge = Math.min(to, inode.extentEnd) - from > LARGE_CUT_BYTES
    if (isLarge && inode.allocated === inode.extentEnd) this.#cutDense(inode, from, to)
    else for (const extent of this.overlapping(inode, from, to)) this.#cutExtent(inode, extent, from, to)
    if (to >= inode.extentEnd) inode.extentEnd = from
  }

  /** Adds all that `from` has, which is then a hole, to a file that is one. */
  take(inode: Inode, from: Inode): void {
    for (const { start, length, body, offset } of this.overlapping(from, 0, from.extentEnd))
      this.add(inode, start, { body, offset, length })
    this.clear(from)
  }

  /** Makes all of it a hole. */
  clear(inode: Inode): void {
    if (inode.content === CONTENT_RECORDS) this.#view.deleteRange(KIND_EXTENT, inode.ino, 0, MAX_LOW)
    inode.content = CONTENT_NONE
    inode.allocated = 0
    inode.extentEnd = 0
  }

  /** Of a file without holes only the extents at the edges need a look: the rest goes with one deletion. */
  #cutDense(inode: Inode, from: number, to: number): void {
    const end = Math.min(to, inode.extentEnd)
    const first = this.overlapping(inode, from, from + 1, 1)[0]
    const last = this.overlapping(inode, end - 1, end, 1)[0]
    this.#view.deleteRange(KIND_EXTENT, inode.ino, from, end - 1)
    if (first !== undefined) this.#keepLeft(inode, first, from)
    if (last !== undefined) this.#keepRight(inode, last, end)
    inode.allocated -= end - from
  }

  #cutExtent(inode: Inode, extent: Extent, from: number, to: number): void {
    const end = extent.start + extent.length
    if (extent.start >= from) this.#view.delete(KIND_EXTENT, inode.ino, extent.start)
    this.#keepLeft(inode, extent, from)
    this.#keepRight(inode, extent, to)
    inode.allocated -= Math.min(end, to) - Math.max(extent.start, from)
  }

  #keepLeft(inode: Inode, extent: Extent, until: number): void {
    if (extent.start < until) this.#put(inode, { ...extent, length: until - extent.start })
  }

  #keepRight(inode: Inode, extent: Extent, from: number): void {
    const end = extent.start + extent.length
    const skipped = from - extent.start
    if (end > from)
      this.#put(inode, { start: from, length: end - from, body: extent.body, offset: extent.offset + skipped })
  }

  #useRecords(inode: Inode): void {
    if (inode.content === CONTENT_INLINE) this.#put(inode, inlineExtent(inode))
    inode.content = CONTENT_RECORDS
  }

  #put(inode: Inode, extent: Extent): void {
    this.#view.put(KIND_EXTENT, inode.ino, extent.start, encodeExtent(extent))
  }
}

function inlineExtent(inode: Inode): Extent {
  return { start: 0, length: inode.bodyLength, body: inode.body, offset: inode.bodyOffset }
}
