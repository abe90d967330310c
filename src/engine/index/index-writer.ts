/**
 * Applies a memtable of changes to the sealed leaves of a store, in ascending order of keys and in slices, so that the
 * thread can commit between two slices.
 *
 * Until the last slice the state names the old point of the log. A crash in between is harmless: changes are absolute
 * values, so replaying from the old point over a half-applied index gives the same outcome.
 */
import { toLatin1 } from '../bytes/latin1.js'
import type { CryptoProvider } from '../crypto/provider.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { LogPoint } from '../log/types.js'
import type { Overlay, OverlayBucket } from './overlay.js'
import { isAteError } from '../error.js'
import { decodeState, encodeState, type IndexState, type LogCounters, STATE_KEY } from './index-state.js'
import { FIRST_LEAF, leafKeys } from './leaf-keys.js'
import { decodeLeaf, encodeLeaf, type LeafRecord } from './leaf.js'
import { cutLeaves, leafBytes, LEAF_BYTES, mergeRecords, type RecordChange } from './leaf-edit.js'
import type { LeafSeal } from './leaf-seal.js'
import type { OrderedStore, StoreChange } from './ordered-store.js'
import { decodeKey, encodeKey, RECORD_KEY_BYTES, type RecordKey } from './record-key.js'
import { SetDigest, setDigestKey } from './set-digest.js'

/** Leaves written in one transaction of the store, and so with one sync: some 10 ms that a commit may have to wait. */
const SLICE_LEAVES = 192
/** Changes of one leaf gathered before they are cut into leaves: about as many as a slice writes. */
const SLICE_RECORDS = 6144

interface Edit {
  storeKey: Uint8Array
  stored: Uint8Array | undefined
  records: readonly LeafRecord[]
  /** Key of the next leaf: where this one ends. */
  end: RecordKey | undefined
  changes: RecordChange[]
}

interface WrittenLeaf {
  storeKey: Uint8Array
  records: LeafRecord[]
  end: RecordKey | undefined
}

export class IndexWriter {
  readonly #store: OrderedStore
  readonly #seal: LeafSeal
  readonly #crypto: CryptoProvider
  readonly #digestKey: Uint8Array
  #state: IndexState
  #digest: SetDigest
  #edit: Edit | undefined
  #previous: WrittenLeaf | undefined
  #slice = new Map<string, StoreChange>()
  #changedLeaves: RecordKey[] = []

  constructor(store: OrderedStore, seal: LeafSeal, crypto: CryptoProvider, keys: ChainKeys) {
    this.#store = store
    this.#seal = seal
    this.#crypto = crypto
    this.#digestKey = setDigestKey(crypto, keys)
    this.#state = this.#readState() ?? emptyState()
    this.#digest = new SetDigest(crypto, this.#digestKey, this.#state.setDigest)
  }

  get state(): Readonly<IndexState> {
    return this.#state
  }

  /** Keys of the leaves written or deleted since the last call. */
  takeChangedLeaves(): RecordKey[] {
    const changed = this.#changedLeaves
    this.#changedLeaves = []
    return changed
  }

  /** Forgets everything: the index is about to be rebuilt from the log. */
  clear(): void {
    this.#store.clear()
    this.reload()
  }

  /** After a failed write: goes on from what the store holds. */
  reload(): void {
    this.#state = this.#readState() ?? emptyState()
    this.#digest = new SetDigest(this.#crypto, this.#digestKey, this.#state.setDigest)
    this.#edit = undefined
    this.#previous = undefined
    this.#slice.clear()
  }

  /** Yields after each slice written. When it returns, the index has taken in the log up to `point`. */
  *flush(memtable: Overlay, point: LogPoint, { nextGroup, recordBytes }: LogCounters): Generator<void> {
    for (const { kind, high, bucket } of memtable.buckets()) {
      for (const range of bucket.cleared) yield* this.#clearRange(kind, high, range.from, range.to)
      yield* this.#applyNodes(kind, high, bucket)
    }
    this.#finishEdit()
    this.#state = { ...this.#state, point, nextGroup, recordBytes }
    this.#writeSlice()
  }

  /**
   * Reads every leaf, yielding now and then: false when one does not verify or they are not all of one time. Only a scan
   * without a flush in between says anything.
   */
  *verify(): Generator<void, boolean> {
    if (this.#store.checkMedium !== undefined && !(yield* this.#store.checkMedium())) return false
    const digest = new SetDigest(this.#crypto, this.#digestKey)
    let count = 0
    for (const key of leafKeys(this.#store)) {
      const stored = this.#store.borrow(key)
      if (stored === undefined || this.#seal.open(key, stored) === undefined) return false
      digest.add(key, stored)
      if (++count % SLICE_LEAVES === 0) yield
    }
    return this.#crypto.equal(digest.value(), this.#state.setDigest)
  }

  /** The next open rebuilds the index from the log. */
  disown(): void {
    this.#state = { ...this.#state, point: undefined }
    this.#writeSlice()
  }

  *#applyNodes(kind: number, high: number, bucket: OverlayBucket): Generator<void> {
    for (const low of bucket.lows().from(0, bucket.nodes.size)) {
      const node = bucket.nodes.get(low)
      if (node === undefined) continue
      const { changes } = this.#editFor(kind, high, low)
      changes.push(node)
      if (this.#slice.size >= SLICE_LEAVES || changes.length >= SLICE_RECORDS) {
        this.#writeSlice()
        yield
      }
    }
  }

  *#clearRange(kind: number, high: number, from: number, to: number): Generator<void> {
    let low = from
    for (;;) {
      const edit = this.#editFor(kind, high, low)
      for (const record of edit.records) {
        const isInRange = record.kind === kind && record.high === high && record.low >= from && record.low <= to
        if (isInRange) edit.changes.push({ kind, high, low: record.low, value: null })
      }
      const { end } = edit
      if (end === undefined || end.kind !== kind || end.high !== high || end.low > to) break
      low = end.low
      if (this.#slice.size >= SLICE_LEAVES) {
        this.#writeSlice()
        yield
      }
    }
    // The records of this bucket come next and begin before here: they must find what was just written.
    this.#finishEdit()
    this.#writeSlice()
  }

  #editFor(kind: number, high: number, low: number): Edit {
    const edit = this.#edit
    if (edit !== undefined) {
      if (edit.end === undefined || isKeyBefore(kind, high, low, edit.end)) return edit
      this.#finishEdit()
    }
    const storeKey = this.#store.floor(encodeKey(kind, high, low)) ?? FIRST_LEAF
    const stored = this.#store.get(storeKey)
    const next = this.#store.after(storeKey)
    const opened: Edit = {
      storeKey,
      stored,
      records: stored === undefined ? [] : decodeLeaf(this.#seal.openOrThrow(storeKey, stored)),
      end: next?.length === RECORD_KEY_BYTES ? decodeKey(next) : undefined,
      changes: [],
    }
    this.#edit = opened
    return opened
  }

  #finishEdit(): void {
    const edit = this.#edit
    this.#edit = undefined
    if (edit === undefined || edit.changes.length === 0) return
    const merged = mergeRecords(edit.records, edit.changes)
    const previous = this.#previous
    if (previous !== undefined && endsWhere(previous, edit) && fitsInto(previous.records, merged)) {
      this.#change(edit.storeKey, edit.stored, null)
      previous.records.push(...merged)
      previous.end = edit.end
      this.#change(previous.storeKey, undefined, previous.records)
      return
    }
    this.#writeLeaves(edit, cutLeaves(merged, isAppending(edit)))
  }

  #writeLeaves(edit: Edit, leaves: LeafRecord[][]): void {
    if (leaves.length === 0) {
      this.#change(edit.storeKey, edit.stored, null)
      const previous = this.#previous
      if (previous !== undefined && endsWhere(previous, edit)) previous.end = edit.end
      return
    }
    leaves.forEach((records, position) => {
      const first = records[0]
      const storeKey =
        position === 0 || first === undefined ? edit.storeKey : encodeKey(first.kind, first.high, first.low)
      this.#change(storeKey, position === 0 ? edit.stored : undefined, records)
      if (position === leaves.length - 1) this.#previous = { storeKey, records, end: edit.end }
    })
  }

  /** Joins the slice. `stored` is what the store holds now (undefined: nothing, or already accounted for in this slice). */
  #change(storeKey: Uint8Array, stored: Uint8Array | undefined, records: readonly LeafRecord[] | null): void {
    const id = toLatin1(storeKey)
    const earlier = this.#slice.get(id)
    if (earlier === undefined) this.#changedLeaves.push(decodeKey(storeKey))
    if (earlier?.value != null) this.#digest.remove(storeKey, earlier.value)
    else if (earlier === undefined && stored !== undefined) this.#digest.remove(storeKey, stored)
    const value = records === null ? null : this.#seal.seal(storeKey, encodeLeaf(records))
    if (value !== null) this.#digest.add(storeKey, value)
    this.#slice.set(id, { key: storeKey, value })
  }

  #writeSlice(): void {
    this.#finishEdit()
    this.#previous = undefined
    this.#state = { ...this.#state, setDigest: this.#digest.value() }
    const state = this.#seal.seal(STATE_KEY, encodeState(this.#state))
    this.#store.write([...this.#slice.values(), { key: STATE_KEY, value: state }])
    this.#slice.clear()
  }

  #readState(): IndexState | undefined {
    const stored = this.#store.get(STATE_KEY)
    const plaintext = stored === undefined ? undefined : this.#seal.open(STATE_KEY, stored)
    if (plaintext === undefined) return undefined
    try {
      return decodeState(plaintext)
    } catch (error) {
      if (isAteError(error)) return undefined
      throw error
    }
  }
}

function emptyState(): IndexState {
  return { point: undefined, setDigest: new Uint8Array(32), nextGroup: 1, recordBytes: 0 }
}

function endsWhere(previous: WrittenLeaf, edit: Edit): boolean {
  const { end } = previous
  if (end === undefined) return false
  const { kind, high, low } = decodeKey(edit.storeKey)
  return end.kind === kind && end.high === high && end.low === low
}

/** A leaf that became small joins the one before it. */
function fitsInto(records: readonly LeafRecord[], more: readonly LeafRecord[]): boolean {
  const bytes = leafBytes(more)
  return bytes < LEAF_BYTES / 4 && bytes + leafBytes(records) < LEAF_BYTES * 0.75
}

/** Only what comes behind the last record: a log of new records, whose leaves are best left full. */
function isAppending(edit: Edit): boolean {
  const last = edit.records[edit.records.length - 1]
  const first = edit.changes[0]
  if (first === undefined) return false
  return last === undefined || isKeyBefore(last.kind, last.high, last.low, first)
}

function isKeyBefore(kind: number, high: number, low: number, other: RecordKey): boolean {
  if (kind !== other.kind) return kind < other.kind
  if (high !== other.high) return high < other.high
  return low < other.low
}
