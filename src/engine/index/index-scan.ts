/** Reads all records of an index as it was at one time, and tells whether its leaves are all of that time. */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import type { LogPoint } from '../log/types.js'
import { decodeState, type IndexState, STATE_KEY } from './index-state.js'
import { FIRST_LEAF, leafKeys } from './leaf-keys.js'
import { decodeLeaf, type LeafRecord } from './leaf.js'
import type { LeafSeal } from './leaf-seal.js'
import type { StoreView } from './ordered-store.js'
import { compareKeys, encodeKey, type RecordKey } from './record-key.js'
import { SetDigest, setDigestKey } from './set-digest.js'

/** Leaves opened between two pauses: some milliseconds. */
const SLICE_LEAVES = 64

export class IndexScan {
  readonly #view: StoreView
  readonly #seal: LeafSeal
  readonly #crypto: CryptoProvider
  readonly #digestKey: Uint8Array
  readonly #state: IndexState | undefined

  /** Throws BODY_DAMAGED, BAD_FORMAT. */
  constructor(view: StoreView, seal: LeafSeal, crypto: CryptoProvider, keys: ChainKeys) {
    this.#view = view
    this.#seal = seal
    this.#crypto = crypto
    this.#digestKey = setDigestKey(crypto, keys)
    const state = view.get(STATE_KEY)
    this.#state = state === undefined ? undefined : decodeState(seal.openOrThrow(STATE_KEY, state))
  }

  /** Nothing was ever written to it. */
  get isEmpty(): boolean {
    return this.#state === undefined && this.#view.after(FIRST_LEAF) === undefined
  }

  /** What of the log it has taken in; undefined: nothing, or nobody knows. */
  get point(): LogPoint | undefined {
    return this.#state?.point
  }

  /** Gives every record to `take`, yielding now and then. False when the leaves are not those that were written. BODY_DAMAGED. */
  *all(take: (record: LeafRecord) => void): Generator<void, boolean> {
    if (this.#state === undefined) return false
    const digest = new SetDigest(this.#crypto, this.#digestKey)
    for (const { key, stored, isPause } of this.#leaves()) {
      digest.add(key, stored)
      for (const record of this.#open(key, stored)) take(record)
      if (isPause) yield
    }
    return this.#crypto.equal(digest.value(), this.#state.setDigest)
  }

  /** The records of the kinds up to `kind`, leaf by leaf. BODY_DAMAGED. */
  *upTo(kind: number): Generator<readonly LeafRecord[]> {
    for (const { key, stored } of this.#leaves()) {
      const records = this.#open(key, stored)
      yield records.filter((record) => record.kind <= kind)
      if (records.some((record) => record.kind > kind)) return
    }
  }

  /** The records behind `key`, leaf by leaf. BODY_DAMAGED. */
  *after({ kind, high, low }: RecordKey): Generator<readonly LeafRecord[]> {
    for (const { key, stored } of this.#leaves(this.#view.floor(encodeKey(kind, high, low))))
      yield this.#open(key, stored).filter((record) => compareKeys(record, kind, high, low) > 0)
  }

  #open(key: Uint8Array, stored: Uint8Array): LeafRecord[] {
    return decodeLeaf(this.#seal.openOrThrow(key, stored))
  }

  *#leaves(first?: Uint8Array): Generator<{ key: Uint8Array; stored: Uint8Array; isPause: boolean }> {
    let count = 0
    for (const key of leafKeys(this.#view, first)) {
      const stored = this.#view.get(key)
      if (stored === undefined) return
      yield { key, stored, isPause: ++count % SLICE_LEAVES === 0 }
    }
  }
}
