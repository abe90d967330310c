/**
 * An ordered map of byte keys to byte values with atomic, durable batches: LMDB on Node (`adapters/node/lmdb-store.ts`),
 * memory elsewhere and in tests (`memory-store.ts`). Keys order as unsigned bytes. It holds sealed leaves only
 * (`sealed-tree.ts`) and is a cache of the log: losing it costs a replay, nothing else.
 */
export interface OrderedStore {
  get(key: Uint8Array): Uint8Array | undefined
  /** As `get`, without a copy where there is one to save: the bytes are the store's and good until its next call. */
  borrow(key: Uint8Array): Uint8Array | undefined
  /** The greatest key <= `key`. */
  floor(key: Uint8Array): Uint8Array | undefined
  /** The greatest key < `key`. */
  before(key: Uint8Array): Uint8Array | undefined
  /** The least key > `key`. */
  after(key: Uint8Array): Uint8Array | undefined
  /** The least keys > `key`, ascending, at most `limit`: cheaper than one after another. */
  keysAfter(key: Uint8Array, limit: number): Uint8Array[]
  /** Applies all changes or none, durable when it returns. Throws NO_SPACE or INPUT_OUTPUT. `value` null deletes. */
  write(changes: readonly StoreChange[]): void
  /** Makes what another thread wrote visible to `get`, `floor` and `after`. */
  refresh(): void
  /** Drops everything. */
  clear(): void
  /** Reads whatever its medium has around the values, yielding now and then: false when it cannot be relied on. */
  checkMedium?(): Generator<void, boolean>
  /** What it holds now, whatever is written later; undefined where there is no such thing. The caller closes it. */
  view?(): StoreView
  /** Bytes on the medium. */
  sizeBytes(): number
  close(): Promise<void>
}

/** A store at one time. */
export interface StoreView extends Pick<OrderedStore, 'get' | 'floor' | 'after' | 'keysAfter'> {
  close(): void
}

export interface StoreChange {
  key: Uint8Array
  value: Uint8Array | null
}
