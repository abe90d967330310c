/** Reads a state of the file system as its records have it, for who only compares. All throw BAD_FORMAT. */
import type { RecordView } from '../../../engine/chain/record-view.js'
import { bucketOf } from '../inodes/inode-store.js'
import type { Inode } from '../inodes/inode.js'
import { decodeEntries, type Entry } from '../records/entry-record.js'
import { decodeInode } from '../records/inode-record.js'
import { KIND_ENTRY, KIND_INODE, KIND_XATTR, MAX_LOW } from '../records/record-kinds.js'
import { decodeXattrs } from '../records/xattr-record.js'
import type { Ino, Name } from '../types.js'

export type Records = Pick<RecordView, 'get' | 'range'>

const PAGE = 256

export function* recordsOf(
  records: Records,
  kind: number,
  high: number,
): Generator<{ low: number; value: Uint8Array }, void> {
  for (let from = 0; ;) {
    const items = records.range(kind, high, from, MAX_LOW, PAGE)
    yield* items
    const last = items[PAGE - 1]
    if (last === undefined) return
    from = last.low + 1
  }
}

export function inodeIn(records: Records, ino: Ino): Inode | undefined {
  const record = records.get(KIND_INODE, bucketOf(ino), ino)
  return record === undefined ? undefined : decodeInode(ino, record)
}

/** The inode, while it has a name. */
export function livingIn(records: Records, ino: Ino): Inode | undefined {
  const inode = inodeIn(records, ino)
  return inode === undefined || inode.nlink === 0 ? undefined : inode
}

export function entriesIn(records: Records, directory: Ino): Map<Name, Entry> {
  const entries = new Map<Name, Entry>()
  for (const { value } of recordsOf(records, KIND_ENTRY, directory))
    for (const entry of decodeEntries(value)) entries.set(entry.name, entry)
  return entries
}

/** What the directory calls the inode. */
export function nameIn(records: Records, directory: Ino, ino: Ino): Name | undefined {
  for (const { value } of recordsOf(records, KIND_ENTRY, directory)) {
    const found = decodeEntries(value).find((entry) => entry.ino === ino)
    if (found !== undefined) return found.name
  }
  return undefined
}

export function xattrsIn(records: Records, ino: Ino): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>()
  for (const { value } of recordsOf(records, KIND_XATTR, ino))
    for (const xattr of decodeXattrs(value)) xattrs.set(xattr.name, xattr.value)
  return xattrs
}
