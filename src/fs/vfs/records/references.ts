/** Which bodies the records of a file system refer to. Loaded by name where chains are compacted. */
import type { FindReferences } from '../../../engine/chain/compaction/live-bodies.js'
import { CONTENT_INLINE } from '../inodes/inode.js'
import { decodeExtent } from './extent-record.js'
import { decodeInode } from './inode-record.js'
import {
  KIND_ENTRY,
  KIND_EXTENT,
  KIND_INODE,
  KIND_MERGED,
  KIND_ORPHAN,
  KIND_STATE,
  KIND_XATTR,
} from './record-kinds.js'

/** Throws BAD_FORMAT for a record that cannot be read. */
export const findReferences: FindReferences = ({ kind, low, value }, refer) => {
  switch (kind) {
    case KIND_EXTENT: {
      const { body, length } = decodeExtent(low, value)
      refer(body, length)
      return true
    }
    case KIND_INODE: {
      const inode = decodeInode(low, value)
      if (inode.content === CONTENT_INLINE) refer(inode.body, inode.bodyLength)
      return true
    }
    case KIND_STATE:
    case KIND_ENTRY:
    case KIND_XATTR:
    case KIND_ORPHAN:
    case KIND_MERGED:
      return true
    default:
      return false
  }
}
