/** The changes of one transaction to objects, their places and what finds them, as changes of records. */
import type { Slab } from '../bytes/slab.js'
import type { SigningKey } from '../crypto/signature.js'
import { AteError } from '../error.js'
import { OBJECT_INLINE_BYTES } from '../limits.js'
import type { RecordTransaction } from '../transaction/record-transaction.js'
import type { RecordReader } from '../transaction/record-reader.js'
import { Collection, MAX_PLACE, PLACE_STEP, type PlacedChild } from './collection.js'
import { encodeCollection } from './collection-record.js'
import type { AccessKeys } from './access.js'
import { daoState, recordInfo } from './dao-state.js'
import type { ProposedCommit } from './hooks/proposed-commit.js'
import { editKeys, putIndex } from './edit-keys.js'
import { askHooks, type PendingChanges, proposed } from './proposal.js'
import {
  ACCESS_KEY_KIND,
  CLOCK_KIND,
  COLLECTION_KIND,
  FIELD_INDEX_KIND,
  KEY_BLOCK_KIND,
  OBJECT_KIND,
  ROOT_KIND,
  TRUST_KIND,
} from './kinds.js'
import { encodeClock } from './hybrid-clock.js'
import { mergeConflicts } from './merge.js'
import { formatKey, type KeyParts, type ObjectKey } from './object-key.js'
import {
  type AccessKeyName,
  decodeObject,
  encodeObject,
  type LinkValue,
  NO_LINKS,
  type ObjectRecord,
  type Parent,
} from './object-record.js'
import type { ObjectStore } from './object-store.js'
import { SessionRights } from './rights.js'
import { Placement } from './placement.js'
import { type StoredBytes, storedForms } from './stored-forms.js'
import type { Tracked } from './tracked.js'
import { RULES_PLACE } from './trust-state.js'
import type { AteSession } from '../trust/session.js'
import type { StoredRules } from './rule-record.js'

/** Where a child goes in its collection. */
export type Spot =
  | { readonly at: 'end' }
  | { readonly at: 'between'; readonly after: number | undefined; readonly before: number }
  | { readonly at: 'name'; readonly place: number; readonly name: string }

export interface ParentSpot {
  readonly key: KeyParts
  readonly collection: number
  readonly spot: Spot
}

const NO_VALUE = new Uint8Array([1])
const AS_THEY_ARE: ReadonlyMap<Tracked, StoredBytes> = new Map()
/** Of a record, its place and its keys beside the fields. */
const OBJECT_OVERHEAD_BYTES = 1024

export class ObjectWriter {
  readonly transaction: RecordTransaction
  readonly #store: ObjectStore
  /** Of most transactions nothing is placed, erased or listed. */
  #placed: Placement | undefined
  readonly #tracked = new Map<ObjectKey, Tracked>()
  /** Tracked ones that are not in the transaction's records yet. */
  #unput: Tracked[] = []
  /** Those that must be put: their `pending` is their fields as they are now. */
  #changed: Tracked[] = []
  /** The same as they are stored, where that differs. */
  #stored = AS_THEY_ARE
  /** Of the fields as bytes: nobody has them when the transaction is committed. */
  #ownSlab: Slab | undefined
  #linted: Map<Tracked, Uint8Array> | undefined
  /** What validators have agreed to. */
  #judged: ProposedCommit | undefined
  readonly #keys: AccessKeys
  readonly #session: AteSession
  /** Objects that were deleted; others may have got their keys since. */
  #erased: Set<ObjectKey> | undefined
  #setsRules = false
  #signers: readonly SigningKey[] = []
  /** Blocks of roots that this transaction lists. */
  #listed: Set<number> | undefined

  constructor(store: ObjectStore, session: AteSession, keys: AccessKeys) {
    this.#store = store
    this.#session = session
    this.#keys = keys
    this.transaction = store.records.begin()
  }

  get #placement(): Placement {
    return (this.#placed ??= new Placement(this.transaction))
  }

  tracked(key: ObjectKey): Tracked | undefined {
    return this.#tracked.get(key)
  }

  *daos(): Generator<object> {
    for (const { dao } of this.#tracked.values()) yield dao
  }

  track(tracked: Tracked): void {
    this.#tracked.set(tracked.text, tracked)
    const { high, low } = tracked.key
    if (tracked.base === undefined) this.#unput.push(tracked)
    else tracked.isNextVersion = this.transaction.staged(OBJECT_KIND, high, low) !== undefined
  }

  recordOf({ high, low }: KeyParts): ObjectRecord | undefined {
    const bytes = this.transaction.get(OBJECT_KIND, high, low)
    return bytes === undefined ? undefined : decodeObject(bytes)
  }

  /** Gives an object its place among the roots. */
  addRoot(key: KeyParts): void {
    if (this.#store.isUnlistedBlock(key.high) && this.#listed?.has(key.high) !== true) {
      this.transaction.put(KEY_BLOCK_KIND, 0, key.high, NO_VALUE)
      this.#listed = (this.#listed ?? new Set<number>()).add(key.high)
    }
    if (!this.#store.isInBlockOfRoots(this.transaction.unwatched, key.high))
      editKeys(this.transaction, ROOT_KIND, 0, key, 'add')
  }

  /** Says whose the collections among `links` are. */
  addCollections(parent: KeyParts, links: ReadonlyMap<string, LinkValue>): void {
    for (const [link, value] of links) {
      if (value.kind !== 'collection') continue
      // Read, so that a number that was given out twice is a conflict and never two collections in one.
      if (this.transaction.get(COLLECTION_KIND, value.collection, 0) !== undefined)
        throw new AteError('CONFLICT', 'A number of a collection was given out twice.', { hint: 'Begin again.' })
      this.transaction.put(COLLECTION_KIND, value.collection, 0, encodeCollection({ parent, link }))
    }
  }

  /** Puts a child into a collection; returns what its record says of it. PARENT_NOT_FOUND when the parent is gone. */
  place(child: KeyParts, { key, collection, spot }: ParentSpot): Parent {
    this.#addLateLinks(key)
    if (this.transaction.get(COLLECTION_KIND, collection, 0) === undefined)
      throw new AteError(
        'PARENT_NOT_FOUND',
        `The object ${formatKey(key)} is not there any more: it can have no children.`,
      )
    return { key, collection, place: this.#placeOf(child, collection, spot) }
  }

  #addLateLinks(key: KeyParts): void {
    const owner = this.#tracked.get(formatKey(key))
    if (owner === undefined || owner.lateLinks.size === 0) return
    this.addCollections(key, owner.lateLinks)
    owner.lateLinks = NO_LINKS
    owner.isMoved = true
  }

  /** Takes an object from its collection, or from among the roots. */
  unplace(key: KeyParts, parent: Parent | undefined): void {
    if (parent !== undefined) this.#placement.remove(parent.collection, parent.place, key)
    else if (!this.#store.isInBlockOfRoots(this.transaction.unwatched, key.high))
      editKeys(this.transaction, ROOT_KIND, 0, key, 'remove')
  }

  /** Removes an object's own records; its children are the caller's. */
  erase(key: KeyParts, record: ObjectRecord | undefined): void {
    const text = formatKey(key)
    const tracked = this.#tracked.get(text)
    this.unplace(key, tracked === undefined ? record?.parent : tracked.parent)
    for (const link of (tracked?.links ?? record?.links ?? NO_LINKS).values())
      if (link.kind === 'collection') this.transaction.delete(COLLECTION_KIND, link.collection, 0)
    for (const place of tracked?.indexed ?? record?.indexed ?? [])
      editKeys(this.transaction, FIELD_INDEX_KIND, place, key, 'remove')
    this.transaction.delete(OBJECT_KIND, key.high, key.low)
    this.#erased = (this.#erased ?? new Set<ObjectKey>()).add(text)
    if (tracked === undefined) return
    this.#tracked.delete(text)
    this.#unput = this.#unput.filter((one) => one !== tracked)
  }

  /** Gives an object another parent, or none. */
  move(key: KeyParts, to: ParentSpot | undefined): void {
    const tracked = this.#tracked.get(formatKey(key))
    const record = tracked === undefined ? this.recordOf(key) : undefined
    this.unplace(key, tracked === undefined ? record?.parent : tracked.parent)
    const parent = to === undefined ? undefined : this.place(key, to)
    if (to === undefined) this.addRoot(key)
    this.#setParent(key, parent, tracked, record)
  }

  #setParent(
    key: KeyParts,
    parent: Parent | undefined,
    tracked: Tracked | undefined,
    record: ObjectRecord | undefined,
  ): void {
    if (tracked !== undefined) {
      tracked.parent = parent
      tracked.isMoved = true
    } else if (record !== undefined) {
      // One version more than the chain has, however often it is moved.
      const isPut = this.transaction.staged(OBJECT_KIND, key.high, key.low) !== undefined
      const updatedAt = this.#store.clock.next()
      const moved = { ...record, parent, revision: record.revision + (isPut ? 0 : 1), updatedAt }
      this.transaction.put(OBJECT_KIND, key.high, key.low, encodeObject(moved))
    }
  }

  /** Makes new objects visible to readers of the transaction's records. */
  putNew(): void {
    const unput = this.#unput
    this.#unput = []
    for (const tracked of unput) {
      const data = tracked.changedData(this.#slab)
      if (data !== undefined) this.#put(tracked, data)
    }
  }

  /** Collects what differs from what was loaded; returns the bytes it takes at most. INVALID_OBJECT, OBJECT_TOO_LARGE. */
  collect(): number {
    this.#unput = []
    for (const tracked of this.#changed) tracked.pending = undefined
    this.#changed = []
    const overhead = OBJECT_OVERHEAD_BYTES + this.#store.hooks.overheadBytes
    let bytes = 0
    for (const tracked of this.#tracked.values()) {
      this.#collect(tracked)
      if (tracked.pending !== undefined) bytes += tracked.pending.length + overhead
    }
    return bytes
  }

  #collect(tracked: Tracked): void {
    const data = tracked.changedData(this.#slab)
    if (data === undefined) return
    if (tracked.pending === undefined) this.#changed.push(tracked)
    tracked.pending = data
  }

  get hasChanges(): boolean {
    return this.#changed.length > 0 || this.transaction.changes.length > 0
  }

  /** What validators are to judge; undefined: there are none. HOOK_FAILED of a linter. */
  propose(): ProposedCommit | undefined {
    if (this.#store.hooks.validators.length === 0) return undefined
    return proposed(this.#pending(this.#store.records.snapshot()))
  }

  noteJudged(commit: ProposedCommit): void {
    this.#judged = commit
  }

  /** See `CommitTransaction.settle`. */
  settle(latest: RecordReader): void {
    for (const { key, place } of this.#placed?.settle(latest) ?? []) {
      const tracked = this.#tracked.get(formatKey(key))
      if (tracked?.parent === undefined) continue
      tracked.parent = { ...tracked.parent, place }
      tracked.isMoved = true
      this.#collect(tracked)
    }
    this.#noteReplaced(latest)
    mergeConflicts(this.#store, this.#slab, this.#changed, this.transaction, latest)
    const { trust, isSigned, hooks } = this.#store
    const hasRules = trust.hasRules || this.#setsRules
    if (!hasRules && !isSigned && hooks.isEmpty) return
    const changes = this.#pending(latest)
    askHooks(changes, this.#judged)
    const rights = new SessionRights(this.#session, this.#store.nowMs())
    this.#stored = storedForms(changes, hasRules ? rights : undefined)
    if (isSigned) this.#signers = rights.signers()
  }

  #noteReplaced(latest: RecordReader): void {
    for (const text of this.#erased ?? []) {
      const tracked = this.#tracked.get(text)
      const bytes = tracked === undefined ? undefined : latest.get(OBJECT_KIND, tracked.key.high, tracked.key.low)
      if (tracked !== undefined && bytes !== undefined) tracked.replaces = decodeObject(bytes)?.revision ?? 0
    }
  }

  /** Who signs the changes that were settled. */
  get signers(): readonly SigningKey[] {
    return this.#signers
  }

  #pending(latest: RecordReader): PendingChanges {
    return {
      store: this.#store,
      transaction: this.transaction,
      latest,
      changed: this.#changed,
      tracked: (key) => this.#tracked.get(formatKey(key)),
      session: this.#session,
      keys: this.#keys,
      linted: (this.#linted ??= new Map<Tracked, Uint8Array>()),
    }
  }

  /** Gives an object rules of its own. */
  setRules(tracked: Tracked, rules: StoredRules): void {
    tracked.rules = rules
    tracked.isMoved = true
    this.#setsRules = true
    if (!this.#store.trust.hasRules) this.transaction.put(TRUST_KIND, 0, RULES_PLACE, NO_VALUE)
  }

  putAccessKey({ ring, epoch }: AccessKeyName, record: Uint8Array): void {
    this.transaction.put(ACCESS_KEY_KIND, ring, epoch, record)
  }

  /** See `CommitTransaction.finish`. */
  finish(): void {
    for (const tracked of this.#changed) if (tracked.pending !== undefined) this.#put(tracked, tracked.pending, 'final')
    this.transaction.put(CLOCK_KIND, 0, 0, encodeClock(this.#store.clock.last))
  }

  /** To be called when everybody sees the changes, and nothing is to be done with this any more. */
  release(): void {
    for (const high of this.#listed ?? []) this.#store.noteListed(high)
    if (this.#setsRules) this.#store.trust.hasRules = true
    if (this.#ownSlab !== undefined) this.#store.giveBack(this.#ownSlab)
    this.#ownSlab = undefined
  }

  get #slab(): Slab {
    return (this.#ownSlab ??= this.#store.takeSlab())
  }

  /** Puts those whose fields can be found by, so that `find` sees them. */
  putIndexed(): void {
    for (const tracked of this.#tracked.values()) {
      if (tracked.type.options.index.length === 0) continue
      const data = tracked.changedData(this.#slab)
      if (data !== undefined) this.#put(tracked, data)
    }
  }

  #put(tracked: Tracked, data: Uint8Array, how: 'provisional' | 'final' = 'provisional'): void {
    const { high, low } = tracked.key
    const form: StoredBytes = (how === 'final' ? this.#stored.get(tracked) : undefined) ?? { data }
    putIndex(this.#store.crypto, this.transaction, tracked, form.sealedBy !== undefined)
    const isLarge = form.data.length > OBJECT_INLINE_BYTES && how === 'final'
    const stored = isLarge ? { ...form, data: this.#store.writeBodies(form.data) } : form
    const record = tracked.record(this.#store.clock.next(), stored)
    this.transaction.put(OBJECT_KIND, high, low, encodeObject(record))
    if (how === 'final') daoState(tracked.dao).record = recordInfo(record)
    tracked.notePut(data, how)
  }

  #placeOf(child: KeyParts, collection: number, spot: Spot): number {
    switch (spot.at) {
      case 'end':
        return this.#placement.append(collection, child)
      case 'name':
        this.#placement.set(collection, spot.place, spot.name, child)
        return spot.place
      case 'between':
        return (
          this.#placement.insert(collection, child, spot.after, spot.before) ?? this.#makeRoom(child, collection, spot)
        )
      default:
        return spot satisfies never
    }
  }

  /** Spreads the children behind `after` over the next places that are free, and puts `child` first among them. */
  #makeRoom(child: KeyParts, collection: number, { after = 0 }: { after: number | undefined }): number {
    const crowd: PlacedChild[] = []
    let end = MAX_PLACE
    for (const next of new Collection(this.transaction, collection).children(after + 1)) {
      if (next.place - after > 4 * (crowd.length + 2)) {
        end = next.place
        break
      }
      crowd.push(next)
    }
    const step = Math.min(PLACE_STEP, Math.floor((end - after) / (crowd.length + 2)))
    for (const { key, place } of crowd) this.#placement.remove(collection, place, key)
    const places = [child, ...crowd.map(({ key }) => key)].map((key, i) => {
      const before = after + (i + 1) * step
      this.#placement.insert(collection, key, before - 1, before + 1)
      return before
    })
    crowd.forEach(({ key }, i) => this.#noteMoved(key, places[i + 1] ?? 0))
    return places[0] ?? 0
  }

  #noteMoved(key: KeyParts, place: number): void {
    const tracked = this.#tracked.get(formatKey(key))
    const record = tracked === undefined ? this.recordOf(key) : undefined
    const parent = tracked === undefined ? record?.parent : tracked.parent
    if (parent !== undefined) this.#setParent(key, { ...parent, place }, tracked, record)
  }
}
