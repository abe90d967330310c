/** Which bodies, and which access keys, the records of data objects need. */
import type { FindReferences } from '../chain/compaction/live-bodies.js'
import {
  ACCESS_KEY_KIND,
  CHILD_KIND,
  CLOCK_KIND,
  COLLECTION_KIND,
  FIELD_INDEX_KIND,
  KEY_BLOCK_KIND,
  OBJECT_KIND,
  ROOT_KIND,
  TRUST_KIND,
} from './kinds.js'
import { decodeObject } from './object-record.js'

/** Throws BAD_FORMAT for a record that cannot be read. */
export const findReferences: FindReferences = ({ kind, high, low, value }, refer, keys) => {
  switch (kind) {
    case OBJECT_KIND: {
      const { data = [], sealedBy, rules } = decodeObject(value) ?? {}
      if (sealedBy !== undefined) keys?.needs(sealedBy.ring, sealedBy.epoch)
      if (rules?.read.kind === 'ring') keys?.needs(rules.read.ring, rules.read.epoch)
      if (!(data instanceof Uint8Array)) for (const { body, length } of data) refer(body, length)
      return true
    }
    case ACCESS_KEY_KIND:
      keys?.lies({ kind, high, low }, value.length)
      return true
    case KEY_BLOCK_KIND:
    case ROOT_KIND:
    case COLLECTION_KIND:
    case CHILD_KIND:
    case FIELD_INDEX_KIND:
    case TRUST_KIND:
    case CLOCK_KIND:
      return true
    default:
      return false
  }
}
