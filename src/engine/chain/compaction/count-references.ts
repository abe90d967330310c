/** What refers to bodies: counted over all records there are, and by what changes of them. */
import type { IndexReader } from '../../index/index-reader.js'
import { Overlay } from '../../index/overlay.js'
import { OverlaidIndex, type RecordSource } from '../overlaid-index.js'
import { changesInto } from '../overlay-sink.js'
import type { ReceivedChange } from '../received-changes.js'
import { BodyReferences } from './body-references.js'
import { FIRST_USER_KIND, type FindReferences } from './live-bodies.js'

/** Of a range that is deleted, at once. */
const LISTED_RECORDS = 1024
const ONE_GENERATION = 1

/** By the records of the index with those over it: some microseconds for each. BODY_DAMAGED. */
export function countAll(
  findReferences: FindReferences,
  index: Pick<IndexReader, 'recordsFrom'>,
  overlay: Overlay,
): BodyReferences {
  const references = new BodyReferences(findReferences)
  for (const record of index.recordsFrom(FIRST_USER_KIND)) {
    const bucket = overlay.bucket(record.kind, record.high)
    const isHidden = bucket !== undefined && (bucket.nodes.has(record.low) || bucket.isCleared(record.low))
    if (!isHidden) references.add(record)
  }
  for (const { kind, high, bucket } of overlay.buckets()) {
    if (kind < FIRST_USER_KIND) continue
    for (const { low, value } of bucket.nodes.values()) if (value !== null) references.add({ kind, high, low, value })
  }
  return references
}

/** Changes, in their order, of the records `before`. */
export function countChanges(
  references: BodyReferences,
  before: RecordSource,
  changes: readonly ReceivedChange[],
): void {
  const overlay = new Overlay()
  const latest = new OverlaidIndex(before, () => overlay)
  const sink = changesInto(overlay, ONE_GENERATION)
  for (const change of changes) {
    const { kind, high } = change
    if ('low' in change) {
      countPut(references, latest, change)
      if (change.value === null) sink.delete(kind, high, change.low)
      else sink.put(kind, high, change.low, change.value)
    } else {
      countDeleted(references, latest, change)
      sink.deleteRange(kind, high, change.from, change.to)
    }
  }
}

/** A record is about to be put, or deleted by a null. */
export function countPut(
  references: BodyReferences,
  before: Pick<RecordSource, 'get'>,
  { kind, high, low, value }: Extract<ReceivedChange, { readonly low: number }>,
): void {
  if (kind < FIRST_USER_KIND) return
  const was = before.get(kind, high, low)
  if (was !== undefined) references.remove({ kind, high, low, value: was })
  if (value !== null) references.add({ kind, high, low, value })
}

/** A range of records is about to be deleted. */
export function countDeleted(
  references: BodyReferences,
  before: Pick<RecordSource, 'range'>,
  { kind, high, from, to }: Extract<ReceivedChange, { readonly from: number }>,
): void {
  if (kind < FIRST_USER_KIND) return
  for (let next = from; next <= to;) {
    const items = before.range(kind, high, next, to, LISTED_RECORDS)
    for (const { low, value } of items) references.remove({ kind, high, low, value })
    const last = items.at(-1)
    if (last === undefined || items.length < LISTED_RECORDS) return
    next = last.low + 1
  }
}
