/**
 * OrderedStore on LMDB. One thread writes, others read the same environment of this process: a reader sees what was
 * committed when it last refreshed, whatever is written meanwhile.
 *
 * Every write is synced when it returns (no overlapping or delayed syncs): a half-written index after a power loss would
 * cost a rebuild.
 */
import { rmSync } from 'node:fs'
import { open, type RangeOptions, type RootDatabase, type Transaction } from 'lmdb'
import { AteError, type ErrorCode } from '../../engine/error.js'
import type { OrderedStore, StoreChange, StoreView } from '../../engine/index/ordered-store.js'
import { coverDataFile, dataFile, isDataFileUsable, PAGE_BYTES, sizeOf } from './lmdb-file.js'
import { checkPages } from './lmdb-pages.js'

/** Address space, not memory or disk: 1 TiB of index is some 5,000,000,000 files. */
const MAP_BYTES = 2 ** 40

/** Both take a transaction, which lmdb's types leave out. */
interface ViewReader {
  getBinary(key: Uint8Array, options: { transaction: Transaction }): Uint8Array | undefined
  /** May be memory that lmdb uses again: then `length` is that of the value, and the bytes behind it are others'. */
  getBinaryFast(key: Uint8Array, options: { transaction: Transaction }): Uint8Array | undefined
}

export class LmdbStore implements OrderedStore {
  readonly #directory: string
  /** The view that reads see. Kept on purpose: lmdb by itself moves to a newer one with every turn of the event loop. */
  #view: Transaction | undefined
  #database: RootDatabase<Uint8Array, Uint8Array>

  /** `directory` must be there, and written to by one store only. Throws BAD_FORMAT when the files are none of LMDB or too short, NO_SPACE, or the system's error. */
  constructor(directory: string, options: { readOnly: boolean }) {
    this.#directory = directory
    if (!isDataFileUsable(directory, options)) throw new AteError('BAD_FORMAT', 'the index is no whole file of LMDB')
    this.#database = openDatabase(directory, options.readOnly)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#get(key, this.#openView())
  }

  borrow(key: Uint8Array): Uint8Array | undefined {
    const database: ViewReader = this.#database
    const transaction = this.#openView()
    return reading(() => {
      const value = database.getBinaryFast(key, { transaction })
      return value?.subarray(0, value.length)
    })
  }

  floor(key: Uint8Array): Uint8Array | undefined {
    return this.#floor(key, this.#openView())
  }

  before(key: Uint8Array): Uint8Array | undefined {
    return this.#keys({ start: key, exclusiveStart: true, reverse: true, limit: 1 }, this.#openView())[0]
  }

  after(key: Uint8Array): Uint8Array | undefined {
    return this.keysAfter(key, 1)[0]
  }

  keysAfter(key: Uint8Array, limit: number): Uint8Array[] {
    return this.#after(key, limit, this.#openView())
  }

  /** While it is open LMDB uses no page again that it holds: the file grows by what is written meanwhile. */
  view(): StoreView {
    this.refresh()
    const transaction = this.#database.useReadTransaction()
    return {
      get: (key) => this.#get(key, transaction),
      floor: (key) => this.#floor(key, transaction),
      after: (key) => this.#after(key, 1, transaction)[0],
      keysAfter: (key, limit) => this.#after(key, limit, transaction),
      close: () => transaction.done(),
    }
  }

  write(changes: readonly StoreChange[]): void {
    try {
      this.#database.transactionSync(() => {
        for (const { key, value } of changes) {
          if (value === null) this.#database.removeSync(key)
          else this.#database.putSync(key, value)
        }
      })
      coverDataFile(this.#directory)
    } catch (error) {
      throw storeError('the index could not be written', error)
    } finally {
      this.refresh()
    }
  }

  refresh(): void {
    this.#view?.done()
    this.#database.resetReadTxn()
    // At once: opened later it could be a view in which the next flush has begun.
    this.#view = this.#database.useReadTransaction()
  }

  clear(): void {
    try {
      this.#database.clearSync()
    } catch (error) {
      throw storeError('the index could not be cleared', error)
    }
    this.refresh()
  }

  checkMedium(): Generator<void, boolean> {
    return checkPages(this.#directory, { quick: false })
  }

  sizeBytes(): number {
    return sizeOf(dataFile(this.#directory))
  }

  async close(): Promise<void> {
    this.#view?.done()
    this.#view = undefined
    await this.#database.close()
  }

  #openView(): Transaction {
    this.#view ??= this.#database.useReadTransaction()
    return this.#view
  }

  #get(key: Uint8Array, transaction: Transaction): Uint8Array | undefined {
    const database: ViewReader = this.#database
    return reading(() => database.getBinary(key, { transaction }))
  }

  #floor(key: Uint8Array, transaction: Transaction): Uint8Array | undefined {
    return this.#keys({ start: key, reverse: true, limit: 1 }, transaction)[0]
  }

  #after(key: Uint8Array, limit: number, transaction: Transaction): Uint8Array[] {
    return this.#keys({ start: key, exclusiveStart: true, limit }, transaction)
  }

  #keys(range: RangeOptions, transaction: Transaction): Uint8Array[] {
    return reading(() => Array.from(this.#database.getKeys({ ...range, transaction }), (key) => Uint8Array.from(key)))
  }
}

/** Removes an index that cannot be used; the next open rebuilds it. */
export function removeLmdbStore(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}

function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw storeError('the index could not be read', error)
  }
}

function openDatabase(directory: string, readOnly: boolean): RootDatabase<Uint8Array, Uint8Array> {
  try {
    return open<Uint8Array, Uint8Array>({
      path: dataFile(directory),
      keyEncoding: 'binary',
      encoding: 'binary',
      noSubdir: true,
      readOnly,
      mapSize: MAP_BYTES,
      maxDbs: 1,
      overlappingSync: false,
      eventTurnBatching: false,
      pageSize: PAGE_BYTES,
    })
  } catch (error) {
    throw storeError('the index could not be opened', error)
  }
}

/** lmdb says what it means in words only. */
const MEANINGS: readonly [RegExp, ErrorCode][] = [
  [/ENOSPC|No space left|quota exceeded|MDB_MAP_FULL/, 'NO_SPACE'],
  [/Permission denied|not permitted/, 'ACCESS_DENIED'],
  [/Read-only file system/, 'READ_ONLY'],
  [/MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|VERSION_MISMATCH|PANIC|INCOMPATIBLE|BAD_)/, 'BAD_FORMAT'],
]

function storeError(message: string, cause: unknown): AteError {
  const text = cause instanceof Error ? cause.message : ''
  const code = MEANINGS.find(([pattern]) => pattern.test(text))?.[1]
  return new AteError(code ?? 'INPUT_OUTPUT', message, { cause })
}
