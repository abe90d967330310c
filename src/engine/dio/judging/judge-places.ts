/**
 * What finds the objects of a received batch: collections, their children, roots, places in the index of fields. All of it
 * must say what the objects say, no more and no less: an entry without its object, or an object without its entry, would hide
 * what is there or show what nobody had the right to put there.
 */
import { equalBytes } from '../../bytes/equal.js'
import { AteError } from '../../error.js'
import { MAX_PLACE } from '../collection.js'
import { decodeChildren, decodeCollection, decodeKeys } from '../collection-record.js'
import { CHILD_KIND, COLLECTION_KIND, FIELD_INDEX_KIND, KEY_BLOCK_KIND, ROOT_KIND } from '../kinds.js'
import { formatKey, isSameKey, type KeyParts } from '../object-key.js'
import type { LinkValue, ObjectRecord, Parent } from '../object-record.js'
import type { RecordReader } from '../../transaction/record-reader.js'
import { bad, type ReceivedBatch } from './received-batch.js'

/** PARENT_NOT_FOUND for children that are left without their parent; BAD_FORMAT for the rest. */
export function judgePlaces(batch: ReceivedBatch): void {
  for (const key of batch.changedObjects()) judgeObjectPlaces(batch, key)
  judgeCollections(batch)
  judgeChildren(batch)
  for (const { high, low, value } of batch.changes(KEY_BLOCK_KIND))
    if (high !== 0 || value === null || value.length !== 1 || value[0] !== 1)
      throw bad(`hides the block of roots ${low}`)
  judgeLists(batch, ROOT_KIND, (object, high) => high === 0 && object.parent === undefined)
  judgeLists(batch, FIELD_INDEX_KIND, (object, high) => object.indexed.includes(high))
}

function judgeObjectPlaces(batch: ReceivedBatch, key: KeyParts): void {
  const was = batch.objectBefore(key)
  const becomes = batch.objectAfter(key)
  if (was?.parent !== undefined && !isSamePlace(was.parent, becomes?.parent) && isChildAt(batch.after, was.parent, key))
    throw bad(`leaves ${formatKey(key)} where it was`)
  if (was !== undefined) demandChildless(batch, key, collectionsLost(was, becomes))
  if (becomes === undefined) {
    if (was !== undefined && was.parent === undefined && isListed(batch.after, ROOT_KIND, 0, key))
      throw bad(`lists ${formatKey(key)}, which it deletes`)
  } else {
    if (becomes.parent === undefined) demandRoot(batch, key)
    else if (!isSamePlace(becomes.parent, was?.parent)) demandChild(batch, key, becomes.parent)
    judgeLinks(batch, key, was, becomes)
  }
  for (const place of was?.indexed ?? [])
    if (becomes?.indexed.includes(place) !== true && isListed(batch.after, FIELD_INDEX_KIND, place, key))
      throw bad(`leaves ${formatKey(key)} in the index of fields`)
  for (const place of becomes?.indexed ?? [])
    if (was?.indexed.includes(place) !== true && !isListed(batch.after, FIELD_INDEX_KIND, place, key))
      throw bad(`does not put ${formatKey(key)} into the index of fields`)
}

/** Nobody inherits the rules of what is not there. */
function demandChildless({ after }: ReceivedBatch, key: KeyParts, collections: readonly number[]): void {
  for (const collection of collections) {
    const isLeft =
      after.get(COLLECTION_KIND, collection, 0) !== undefined ||
      after.range(CHILD_KIND, collection, 0, MAX_PLACE, 1).length > 0
    if (isLeft)
      throw new AteError(
        'PARENT_NOT_FOUND',
        `A collection of ${formatKey(key)} is deleted, and what lies in it is not.`,
      )
  }
}

function demandRoot({ after }: ReceivedBatch, key: KeyParts): void {
  const isFound = after.get(KEY_BLOCK_KIND, 0, key.high) !== undefined || isListed(after, ROOT_KIND, 0, key)
  if (!isFound) throw bad(`does not list ${formatKey(key)} among the objects without a parent`)
}

function demandChild({ after }: ReceivedBatch, key: KeyParts, parent: Parent): void {
  const collection = after.get(COLLECTION_KIND, parent.collection, 0)
  if (collection === undefined || !isSameKey(decodeCollection(collection).parent, parent.key))
    throw bad(`puts ${formatKey(key)} into a collection that is not its parent's`)
  if (!isChildAt(after, parent, key)) throw bad(`does not list ${formatKey(key)} where it lies`)
}

function judgeLinks(
  { before, after }: ReceivedBatch,
  key: KeyParts,
  was: ObjectRecord | undefined,
  becomes: ObjectRecord,
): void {
  const had = collectionsOf(was?.links ?? new Map<string, LinkValue>())
  const has = collectionsOf(becomes.links)
  for (const [name, collection] of has) {
    if (had.get(name) === collection) continue
    const record = after.get(COLLECTION_KIND, collection, 0)
    // One that was not used yet has no record.
    if (record === undefined) continue
    const { parent, link } = decodeCollection(record)
    if (before.get(COLLECTION_KIND, collection, 0) !== undefined || !isSameKey(parent, key) || link !== name)
      throw bad(`gives ${formatKey(key)} a collection of another object`)
  }
}

function judgeCollections(batch: ReceivedBatch): void {
  for (const { high, low, value } of batch.changes(COLLECTION_KIND)) {
    const before = batch.before.get(COLLECTION_KIND, high, low)
    if (low !== 0) throw bad('holds a collection at an impossible place')
    if (value === null) {
      const owner = before === undefined ? undefined : batch.objectAfter(decodeCollection(before).parent)
      if (owner !== undefined && numbersOf(owner).includes(high)) throw bad('deletes a collection without its object')
      continue
    }
    if (before !== undefined && !equalBytes(before, value)) throw bad('gives a collection to another object')
    const { parent, link } = decodeCollection(value)
    const owned = collectionsOf(batch.objectAfter(parent)?.links ?? new Map<string, LinkValue>()).get(link)
    if (owned !== high) throw bad(`holds a collection that ${formatKey(parent)} does not know of`)
  }
}

function judgeChildren(batch: ReceivedBatch): void {
  for (const { high, low, value } of batch.changes(CHILD_KIND)) {
    const bytes = batch.before.get(CHILD_KIND, high, low)
    const had = bytes === undefined ? [] : decodeChildren(bytes)
    const has = value === null ? [] : decodeChildren(value)
    const isHere = (key: KeyParts): boolean => {
      const parent = batch.objectAfter(key)?.parent
      return parent?.collection === high && parent.place === low
    }
    for (const { key, name } of has) {
      const before = had.find((one) => isSameKey(one.key, key))
      if (!isHere(key)) throw bad(`lists ${formatKey(key)} where it does not lie`)
      if (before !== undefined && before.name !== name) throw bad(`gives ${formatKey(key)} another name`)
      if (has.filter((one) => isSameKey(one.key, key)).length > 1) throw bad(`lists ${formatKey(key)} twice`)
    }
    for (const { key } of had)
      if (!has.some((one) => isSameKey(one.key, key)) && isHere(key)) throw bad(`hides ${formatKey(key)}`)
  }
}

/** Lists of keys by the low part of them: every key that comes or goes must be of an object that says so. */
function judgeLists(
  batch: ReceivedBatch,
  kind: number,
  belongs: (object: ObjectRecord, high: number) => boolean,
): void {
  for (const { high, low, value } of batch.changes(kind)) {
    const bytes = batch.before.get(kind, high, low)
    const had = bytes === undefined ? [] : decodeKeys(bytes)
    const has = value === null ? [] : decodeKeys(value)
    const isHere = (key: KeyParts): boolean => {
      const object = batch.objectAfter(key)
      return key.low === low && object !== undefined && belongs(object, high)
    }
    for (const key of has) if (!isHere(key)) throw bad(`lists ${formatKey(key)} where it does not belong`)
    for (const key of had)
      if (!has.some((one) => isSameKey(one, key)) && isHere(key)) throw bad(`hides ${formatKey(key)}`)
  }
}

function collectionsOf(links: ReadonlyMap<string, LinkValue>): Map<string, number> {
  const collections = new Map<string, number>()
  for (const [name, link] of links) if (link.kind === 'collection') collections.set(name, link.collection)
  return collections
}

function numbersOf({ links }: ObjectRecord): number[] {
  return [...collectionsOf(links).values()]
}

/** Those that the object has not any more: it is deleted, or another one has come in its place. */
function collectionsLost(was: ObjectRecord, becomes: ObjectRecord | undefined): number[] {
  const left = becomes === undefined ? [] : numbersOf(becomes)
  return numbersOf(was).filter((collection) => !left.includes(collection))
}

function isSamePlace(a: Parent, b: Parent | undefined): boolean {
  return b !== undefined && isSameKey(a.key, b.key) && a.collection === b.collection && a.place === b.place
}

function isChildAt(reader: RecordReader, { collection, place }: Parent, key: KeyParts): boolean {
  const bytes = reader.get(CHILD_KIND, collection, place)
  return bytes !== undefined && decodeChildren(bytes).some((child) => isSameKey(child.key, key))
}

function isListed(reader: RecordReader, kind: number, high: number, key: KeyParts): boolean {
  const bytes = reader.get(kind, high, key.low)
  return bytes !== undefined && decodeKeys(bytes).some((one) => isSameKey(one, key))
}
