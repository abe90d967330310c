/** The lists of keys by which objects are found. */
import type { CryptoProvider } from '../crypto/provider.js'
import type { RecordTransaction } from '../transaction/record-transaction.js'
import { decodeKeys, encodeKeys } from './collection-record.js'
import { indexPlaces } from './field-index.js'
import { labelPlace } from './hooks/labels.js'
import { FIELD_INDEX_KIND } from './kinds.js'
import { isSameKey, type KeyParts } from './object-key.js'
import type { Tracked } from './tracked.js'

/** Keys that share one place: they have one hash, or one low part. */
export function editKeys(
  transaction: RecordTransaction,
  kind: number,
  high: number,
  key: KeyParts,
  edit: 'add' | 'remove',
): void {
  const value = transaction.get(kind, high, key.low)
  const others = (value === undefined ? [] : decodeKeys(value)).filter((one) => !isSameKey(one, key))
  const keys = edit === 'add' ? [...others, key] : others
  if (keys.length === 0) transaction.delete(kind, high, key.low)
  else transaction.put(kind, high, key.low, encodeKeys(keys))
}

/** Places in the index say something of the fields: what is sealed has only those of its labels. */
export function putIndex(
  crypto: CryptoProvider,
  transaction: RecordTransaction,
  tracked: Tracked,
  isSealed: boolean,
): void {
  const { type, key, dao, indexed, labels } = tracked
  if (type.options.index.length === 0 && indexed.length === 0 && labels.size === 0) return
  const now = isSealed ? [] : indexPlaces(crypto, type, dao)
  for (const [name, value] of labels) now.push(labelPlace(crypto, name, value))
  for (const place of indexed) if (!now.includes(place)) editKeys(transaction, FIELD_INDEX_KIND, place, key, 'remove')
  for (const place of now) if (!indexed.includes(place)) editKeys(transaction, FIELD_INDEX_KIND, place, key, 'add')
  tracked.indexed = now
}
