/** Moves the content of files out of bodies of which little is left. Nobody sees a difference: no time changes. */
import { moveSlice } from '../../../engine/chain/compaction/repack.js'
import type { RepackWork } from '../../../engine/chain/compaction/rewrite-work.js'
import { CONTENT_INLINE } from '../inodes/inode.js'
import { decodeExtent, encodeExtent } from '../records/extent-record.js'
import { KIND_EXTENT, KIND_INODE } from '../records/record-kinds.js'
import type { FileSystemState } from '../state.js'

/** Into the current transaction. What is not there any more, or cannot be moved, is left. */
export function repackContent(state: FileSystemState, { records, bodies }: RepackWork): void {
  for (const { kind, high, low } of records) {
    try {
      if (kind === KIND_EXTENT) moveExtent(state, high, low, bodies)
      else if (kind === KIND_INODE) moveInline(state, low, bodies)
    } catch {
      // A damaged record: it is left for fsck to find.
    }
  }
}

function moveExtent({ view }: FileSystemState, ino: number, start: number, bodies: ReadonlySet<number>): void {
  const record = view.get(KIND_EXTENT, ino, start)
  if (record === undefined) return
  const extent = decodeExtent(start, record)
  const moved = bodies.has(extent.body) ? moveSlice(view, extent) : undefined
  if (moved !== undefined) view.put(KIND_EXTENT, ino, start, encodeExtent({ start, ...moved }))
}

/** The inode in memory is what counts: its record is put with the commit. */
function moveInline({ view, inodes }: FileSystemState, ino: number, bodies: ReadonlySet<number>): void {
  const inode = inodes.find(ino)
  if (inode?.content !== CONTENT_INLINE || !bodies.has(inode.body)) return
  const moved = moveSlice(view, { body: inode.body, offset: inode.bodyOffset, length: inode.bodyLength }, inode.size)
  if (moved === undefined) return
  inode.body = moved.body
  inode.bodyOffset = moved.offset
  inodes.markDirty(inode)
}
