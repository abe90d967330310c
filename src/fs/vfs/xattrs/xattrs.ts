/**
 * Extended attributes as records. The inode's flags say which of the attributes that the kernel keeps asking for exist, so
 * that "no" costs nothing.
 */
import type { RecordView } from '../../../engine/chain/record-view.js'
import { AteError } from '../../../engine/error.js'
import { MAX_RECORD_VALUE_BYTES } from '../../../engine/limits.js'
import { xattrDamaged } from '../damage-messages.js'
import { ACCESS_ACL, DEFAULT_ACL } from './acl.js'
import { lowOf, type NameHash } from '../directories/directory-entries.js'
import { XATTR_ACCESS_ACL, XATTR_ANY, XATTR_CAPABILITY, XATTR_DEFAULT_ACL, type Inode } from '../inodes/inode.js'
import { KIND_XATTR, MAX_LOW } from '../records/record-kinds.js'
import { decodeXattrs, encodeXattrs, MAX_XATTR_LIST_BYTES, type Xattr } from '../records/xattr-record.js'

const CAPABILITY = 'security.capability'
const PAGE = 256

export class Xattrs {
  readonly #view: RecordView
  readonly #hash: NameHash
  readonly #onWarning: (message: string) => void

  constructor(view: RecordView, hash: NameHash, onWarning: (message: string) => void) {
    this.#view = view
    this.#hash = hash
    this.#onWarning = onWarning
  }

  /** The value; shares the record's memory. */
  get(inode: Inode, name: string): Uint8Array | undefined {
    const flag = flagOf(name)
    if ((inode.xattrs & flag) === 0) return undefined
    return this.#record(inode, lowOf(this.#hash(name))).find((xattr) => xattr.name === name)?.value
  }

  /** Sets the value, which is copied. Fails with NO_SPACE when the list of names would get too long. */
  put(inode: Inode, name: string, value: Uint8Array): void {
    const low = lowOf(this.#hash(name))
    const known = this.#record(inode, low)
    const isNew = !known.some((xattr) => xattr.name === name)
    if (isNew && this.list(inode).length + name.length + 1 > MAX_XATTR_LIST_BYTES) {
      throw new AteError('NO_SPACE', 'No room for one more extended attribute.')
    }
    const others = isNew ? known : known.filter((xattr) => xattr.name !== name)
    const record = encodeXattrs([...others, { name, value }])
    if (record.length > MAX_RECORD_VALUE_BYTES) throw new AteError('NO_SPACE', 'Two large attributes share a record.')
    this.#view.put(KIND_XATTR, inode.ino, low, record)
    inode.xattrs |= XATTR_ANY | flagOf(name)
  }

  /** Returns whether there was one. */
  remove(inode: Inode, name: string): boolean {
    if ((inode.xattrs & flagOf(name)) === 0) return false
    const low = lowOf(this.#hash(name))
    const known = this.#record(inode, low)
    const left = known.filter((xattr) => xattr.name !== name)
    if (left.length === known.length) return false
    if (left.length === 0) this.#view.delete(KIND_XATTR, inode.ino, low)
    else this.#view.put(KIND_XATTR, inode.ino, low, encodeXattrs(left))
    const isLast = left.length === 0 && this.#view.range(KIND_XATTR, inode.ino, 0, MAX_LOW, 1).length === 0
    inode.xattrs = isLast ? 0 : inode.xattrs & ~(flagOf(name) & ~XATTR_ANY)
    return true
  }

  /** The names, each followed by a NUL, one character per byte. */
  list(inode: Inode): string {
    let names = ''
    for (let from = 0; inode.xattrs !== 0;) {
      const items = this.#view.range(KIND_XATTR, inode.ino, from, MAX_LOW, PAGE)
      for (const item of items) for (const xattr of this.#decode(inode, item.value)) names += xattr.name + '\0'
      const last = items[PAGE - 1]
      if (last === undefined) break
      from = last.low + 1
    }
    return names
  }

  /** Removes all, for an inode that is going away. */
  clear(inode: Inode): void {
    if (inode.xattrs === 0) return
    this.#view.deleteRange(KIND_XATTR, inode.ino, 0, MAX_LOW)
    inode.xattrs = 0
  }

  #record(inode: Inode, low: number): Xattr[] {
    const record = inode.xattrs === 0 ? undefined : this.#view.get(KIND_XATTR, inode.ino, low)
    return record === undefined ? [] : this.#decode(inode, record)
  }

  #decode(inode: Inode, record: Uint8Array): Xattr[] {
    try {
      return decodeXattrs(record)
    } catch (error) {
      this.#onWarning(xattrDamaged(inode.ino))
      throw error
    }
  }
}

/** The bit of the inode's flags that is set while the attribute may exist. */
export function flagOf(name: string): number {
  if (name === CAPABILITY) return XATTR_CAPABILITY
  if (name === ACCESS_ACL) return XATTR_ACCESS_ACL
  if (name === DEFAULT_ACL) return XATTR_DEFAULT_ACL
  return XATTR_ANY
}
