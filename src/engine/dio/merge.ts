/** Resolves conflicts of objects whose type says how: what was committed meanwhile and what is about to be become one. */
import type { RecordTransaction } from '../transaction/record-transaction.js'
import type { RecordReader } from '../transaction/snapshot.js'
import { fieldsFromBytes, fieldsToBytes } from './fields.js'
import { OBJECT_KIND } from './kinds.js'
import { decodeObject } from './object-record.js'
import type { Tracked } from './tracked.js'

/** What cannot be resolved stays as it is, and is a conflict. */
export function mergeConflicts(
  changed: Map<Tracked, Uint8Array>,
  transaction: RecordTransaction,
  latest: RecordReader,
): void {
  for (const tracked of changed.keys()) {
    const { high, low } = tracked.key
    if (!transaction.hasChanged(OBJECT_KIND, high, low)) continue
    if (!mergeWith(tracked, latest.get(OBJECT_KIND, high, low))) continue
    transaction.excuse(OBJECT_KIND, high, low)
    changed.set(tracked, fieldsToBytes(tracked.type, tracked.dao))
  }
}

function mergeWith(tracked: Tracked, theirs: Uint8Array | undefined): boolean {
  const { type, base, dao, isMoved } = tracked
  const { merge } = type.options
  if (merge === undefined || base === undefined || theirs === undefined || isMoved) return false
  const record = decodeObject(theirs)
  // Fields that lie in bodies may have to be fetched, sealed ones need a key: nothing can be waited for here.
  if (!(record?.data instanceof Uint8Array) || record.sealedBy !== undefined) return false
  const merged = merge(fieldsFromBytes(type, base.data), fieldsFromBytes(type, record.data), dao)
  if (merged === undefined) return false
  tracked.rebase({ record, data: record.data }, merged)
  return true
}
