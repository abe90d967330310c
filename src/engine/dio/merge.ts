/** Resolves conflicts of objects whose type says how: what was committed meanwhile and what is about to be become one. */
import type { Slab } from '../bytes/slab.js'
import type { RecordTransaction } from '../transaction/record-transaction.js'
import type { RecordReader } from '../transaction/record-reader.js'
import { fieldsFromBytes, fieldsToBytes } from './fields.js'
import { OBJECT_KIND } from './kinds.js'
import { decodeObject } from './object-record.js'
import type { ObjectStore } from './object-store.js'
import type { Tracked } from './tracked.js'

/** What cannot be resolved stays as it is, and is a conflict. */
export function mergeConflicts(
  store: ObjectStore,
  slab: Slab,
  changed: readonly Tracked[],
  transaction: RecordTransaction,
  latest: RecordReader,
): void {
  for (const tracked of changed) {
    const { high, low } = tracked.key
    if (!transaction.hasChanged(OBJECT_KIND, high, low)) continue
    if (!mergeWith(store, tracked, latest.get(OBJECT_KIND, high, low))) continue
    transaction.excuse(OBJECT_KIND, high, low)
    tracked.pending = fieldsToBytes(tracked.type, tracked.dao, slab)
  }
}

function mergeWith(store: ObjectStore, tracked: Tracked, theirs: Uint8Array | undefined): boolean {
  const { type, base, dao, isMoved } = tracked
  const { merge } = type.options
  if (merge === undefined || base === undefined || theirs === undefined || isMoved) return false
  const record = decodeObject(theirs)
  // Sealed fields need a key, those in bodies may have to be fetched: nothing can be waited for here.
  if (record === undefined || record.sealedBy !== undefined) return false
  const stored = store.dataOf(record)
  if (!(stored instanceof Uint8Array)) {
    stored.catch(() => undefined)
    return false
  }
  const data = store.undoTransforms(record, stored)
  const merged = merge(fieldsFromBytes(type, base.data), fieldsFromBytes(type, data), dao)
  if (merged === undefined) return false
  tracked.rebase({ record, data }, merged)
  return true
}
