/** Checks what belongs to one inode: its extents with their bodies, and its extended attributes. */
import type { RecordView } from '../../../engine/chain/record-view.js'
import { lowOf, type NameHash } from '../directories/directory-entries.js'
import { decodeExtent, type Extent } from '../records/extent-record.js'
import {
  CONTENT_INLINE,
  CONTENT_RECORDS,
  XATTR_ACCESS_ACL,
  XATTR_ANY,
  XATTR_CAPABILITY,
  XATTR_DEFAULT_ACL,
  type Inode,
} from '../inodes/inode.js'
import { KIND_EXTENT, KIND_XATTR, MAX_LOW } from '../records/record-kinds.js'
import { decodeXattrs } from '../records/xattr-record.js'
import { flagOf } from '../xattrs/xattrs.js'

const PAGE = 512

/** What is wrong with an inode's own records, one sentence each. `kind` is that of the finding. */
export interface InodeFault {
  kind: 'extent' | 'body' | 'xattr'
  message: string
  /** The body that a finding of kind `body` is about. */
  body?: number
}

export class InodeCheck {
  readonly #view: RecordView
  readonly #hash: NameHash
  /** Length of the body looked at last: small files share bodies. Undefined: it cannot be read. */
  #body = -1
  #bodyLength: number | undefined

  constructor(view: RecordView, hash: NameHash) {
    this.#view = view
    this.#hash = hash
  }

  async faults(inode: Inode): Promise<InodeFault[]> {
    return [...(await this.#contentFaults(inode)), ...this.#xattrFaults(inode)]
  }

  async #contentFaults(inode: Inode): Promise<InodeFault[]> {
    const faults: InodeFault[] = []
    const extents = inode.content === CONTENT_INLINE ? [inlineExtent(inode)] : this.#extentRecords(inode, faults)
    if (inode.content !== CONTENT_RECORDS && this.#hasRecords(KIND_EXTENT, inode)) {
      faults.push({ kind: 'extent', message: 'There are extent records that the inode does not know.' })
    }
    let end = 0
    let allocated = 0
    for (const extent of extents) {
      if (extent.start < end)
        faults.push({ kind: 'extent', message: `The extent at ${extent.start} overlaps another.` })
      end = extent.start + extent.length
      allocated += extent.length
      if (end > inode.size) faults.push({ kind: 'extent', message: `The extent at ${extent.start} is beyond the end.` })
      const length = await this.#lengthOf(extent.body)
      if (length === undefined) {
        faults.push({
          kind: 'body',
          message: `The content from ${extent.start} to ${end} cannot be read.`,
          body: extent.body,
        })
      } else if (extent.offset + extent.length > length) {
        faults.push({ kind: 'body', message: `The extent at ${extent.start} is beyond its body.`, body: extent.body })
      }
    }
    if (allocated !== inode.allocated && faults.length === 0) {
      faults.push({
        kind: 'extent',
        message: `The extents have ${allocated} bytes, the inode says ${inode.allocated}.`,
      })
    }
    return faults
  }

  #extentRecords(inode: Inode, faults: InodeFault[]): Extent[] {
    const extents: Extent[] = []
    if (inode.content !== CONTENT_RECORDS) return extents
    for (let from = 0; ;) {
      const items = this.#view.range(KIND_EXTENT, inode.ino, from, MAX_LOW, PAGE)
      for (const { low, value } of items) {
        try {
          extents.push(decodeExtent(low, value))
        } catch {
          faults.push({ kind: 'extent', message: `The record of the extent at ${low} is damaged.` })
        }
      }
      const last = items[PAGE - 1]
      if (last === undefined) return extents
      from = last.low + 1
    }
  }

  async #lengthOf(body: number): Promise<number | undefined> {
    if (body !== this.#body) {
      this.#body = body
      try {
        this.#bodyLength = (await this.#view.readBody(body)).length
      } catch {
        this.#bodyLength = undefined
      }
    }
    return this.#bodyLength
  }

  #xattrFaults(inode: Inode): InodeFault[] {
    const faults: InodeFault[] = []
    let flags = 0
    for (let from = 0; ;) {
      const items = this.#view.range(KIND_XATTR, inode.ino, from, MAX_LOW, PAGE)
      for (const { low, value } of items) {
        try {
          for (const { name } of decodeXattrs(value)) {
            flags |= XATTR_ANY | flagOf(name)
            if (lowOf(this.#hash(name)) !== low)
              faults.push({ kind: 'xattr', message: 'An attribute is out of place.' })
          }
        } catch {
          faults.push({ kind: 'xattr', message: 'The record of an extended attribute is damaged.' })
        }
      }
      const last = items[PAGE - 1]
      if (last === undefined) break
      from = last.low + 1
    }
    const known = XATTR_ANY | XATTR_ACCESS_ACL | XATTR_DEFAULT_ACL | XATTR_CAPABILITY
    if ((inode.xattrs & known) !== flags && faults.length === 0) {
      faults.push({ kind: 'xattr', message: 'The inode does not know its extended attributes.' })
    }
    return faults
  }

  #hasRecords(kind: number, inode: Inode): boolean {
    return this.#view.range(kind, inode.ino, 0, MAX_LOW, 1).length > 0
  }
}

function inlineExtent(inode: Inode): Extent {
  return { start: 0, length: inode.bodyLength, body: inode.body, offset: inode.bodyOffset }
}
