/** What became of an inode since both sides had the same: its change time says that nothing did. */
import { equalBytes } from '../../../engine/bytes/equal.js'
import { CONTENT_INLINE, CONTENT_RECORDS, type Inode } from '../inodes/inode.js'
import { KIND_EXTENT } from '../records/record-kinds.js'
import { type Records, recordsOf, xattrsIn } from './records.js'

export interface Version {
  readonly records: Records
  readonly inode: Inode
}

/** Anything but its access time: content, attributes, names. */
export function isTouched(before: Inode, after: Inode): boolean {
  return after.isDirty || before.ctimeSec !== after.ctimeSec || before.ctimeNsec !== after.ctimeNsec
}

export function isContentChanged(before: Version, after: Version): boolean {
  const [was, is] = [before.inode, after.inode]
  if (!is.isFile || !isTouched(was, is)) return false
  if (is.pieces !== undefined || was.size !== is.size || was.content !== is.content) return true
  if (is.content === CONTENT_INLINE)
    return was.body !== is.body || was.bodyOffset !== is.bodyOffset || was.bodyLength !== is.bodyLength
  return is.content === CONTENT_RECORDS && !areExtentsSame(before, after)
}

export function areAttributesChanged(before: Version, after: Version): boolean {
  const [was, is] = [before.inode, after.inode]
  if (!isTouched(was, is)) return false
  const isSame =
    was.mode === is.mode &&
    was.uid === is.uid &&
    was.gid === is.gid &&
    was.mtimeSec === is.mtimeSec &&
    was.mtimeNsec === is.mtimeNsec
  return !isSame || changedXattrs(before, after).size > 0
}

/** Those that are other ones now, or gone (undefined). */
export function changedXattrs(before: Version, after: Version): Map<string, Uint8Array | undefined> {
  const changed = new Map<string, Uint8Array | undefined>()
  if (before.inode.xattrs === 0 && after.inode.xattrs === 0) return changed
  const [was, is] = [xattrsIn(before.records, before.inode.ino), xattrsIn(after.records, after.inode.ino)]
  for (const name of was.keys()) if (!is.has(name)) changed.set(name, undefined)
  for (const [name, value] of is) {
    const old = was.get(name)
    if (old === undefined || !equalBytes(old, value)) changed.set(name, value)
  }
  return changed
}

function areExtentsSame(before: Version, after: Version): boolean {
  const others = recordsOf(after.records, KIND_EXTENT, after.inode.ino)
  for (const { low, value } of recordsOf(before.records, KIND_EXTENT, before.inode.ino)) {
    const { value: other } = others.next()
    if (other?.low !== low || !equalBytes(other.value, value)) return false
  }
  return others.next().done === true
}
