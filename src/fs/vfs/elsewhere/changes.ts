/**
 * What a batch from elsewhere changes of a file system, gathered record by record: what is in memory of it is stale then, and
 * what the kernel knows of it. Records that cannot be read make no error here: who reads them next is told.
 */
import { isAteError } from '../../../engine/error.js'
import { CONTENT_INLINE } from '../inodes/inode.js'
import { decodeEntries, type Entry } from '../records/entry-record.js'
import { CHUNK_BYTES, decodeExtent } from '../records/extent-record.js'
import { decodeInode } from '../records/inode-record.js'
import { KIND_ENTRY, KIND_EXTENT, KIND_INODE, KIND_STATE, KIND_XATTR } from '../records/record-kinds.js'
import type { ContentRange, Ino, Name } from '../types.js'

/** The inode that an entry named before, if it named one. */
export interface ChangedEntry {
  readonly parent: Ino
  readonly name: Name
  readonly before: Ino | undefined
}

export class ElsewhereChanges {
  /** The record of inode numbers. */
  hasNumbers = false
  /** Inodes whose record or attributes changed. */
  readonly inodes = new Set<Ino>()
  readonly contents = new Map<Ino, ContentRange>()
  readonly directories = new Set<Ino>()
  readonly entries: ChangedEntry[] = []

  note(kind: number, high: number, low: number, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    if (kind === KIND_STATE) this.hasNumbers = true
    else if (kind === KIND_INODE) this.#noteInode(low, before, after)
    else if (kind === KIND_XATTR) this.inodes.add(high)
    else if (kind === KIND_ENTRY) this.#noteEntries(high, before, after)
    else if (kind === KIND_EXTENT) this.#noteContent(high, low, Math.max(extentEnd(low, before), extentEnd(low, after)))
  }

  /** All records of (kind, high) with from <= low <= to were deleted, and need not be looked at one by one. */
  noteDeleted(kind: number, high: number, from: number, to: number): boolean {
    if (kind === KIND_EXTENT) this.#noteContent(high, from, Math.min(to + CHUNK_BYTES, Number.MAX_SAFE_INTEGER))
    else if (kind === KIND_XATTR) this.inodes.add(high)
    else return false
    return true
  }

  #noteInode(ino: Ino, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    this.inodes.add(ino)
    const [was, is] = [inlineContent(ino, before), inlineContent(ino, after)]
    if (was.place !== is.place) this.#noteContent(ino, 0, Math.max(was.length, is.length))
  }

  #noteContent(ino: Ino, from: number, to: number): void {
    if (to <= from) return
    const known = this.contents.get(ino)
    this.contents.set(ino, known === undefined ? { from, to } : joined(known, { from, to }))
  }

  #noteEntries(parent: Ino, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    this.directories.add(parent)
    const [was, is] = [entriesOf(before), entriesOf(after)]
    for (const { name, ino } of was)
      if (!is.some((entry) => entry.name === name && entry.ino === ino))
        this.entries.push({ parent, name, before: ino })
    for (const { name } of is)
      if (!was.some((entry) => entry.name === name)) this.entries.push({ parent, name, before: undefined })
  }
}

function joined(a: ContentRange, b: ContentRange): ContentRange {
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) }
}

function entriesOf(record: Uint8Array | undefined): readonly Entry[] {
  return (record === undefined ? undefined : readable(() => decodeEntries(record))) ?? []
}

/** End of the extent in the file. One that cannot be read takes all its chunk. */
function extentEnd(start: number, record: Uint8Array | undefined): number {
  if (record === undefined) return 0
  const extent = readable(() => decodeExtent(start, record))
  return start + (extent?.length ?? CHUNK_BYTES)
}

/** Where the content in the inode itself lies, as a text to compare. */
function inlineContent(ino: Ino, record: Uint8Array | undefined): { place: string; length: number } {
  const inode = record === undefined ? undefined : readable(() => decodeInode(ino, record))
  if (inode?.content !== CONTENT_INLINE) return { place: '', length: 0 }
  const { body, bodyOffset, bodyLength } = inode
  return { place: `${body} ${bodyOffset} ${bodyLength}`, length: bodyLength }
}

function readable<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (isAteError(error)) return undefined
    throw error
  }
}
