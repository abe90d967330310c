/**
 * OrderedStore on LMDB. One thread writes, others read the same environment of this process: a reader sees what was
 * committed when it last refreshed, whatever is written meanwhile.
 *
 * Every write is synced when it returns (no overlapping or delayed syncs): a half-written index after a power loss would
 * cost a rebuild.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RangeOptions, type RootDatabase, type Transaction } from 'lmdb'
import { AteError } from '../../engine/error.js'
import type { OrderedStore, StoreChange } from '../../engine/index/ordered-store.js'

const FILE_NAME = 'data.mdb'
/** Address space, not memory or disk: 1 TiB of index is some 5,000,000,000 files. */
const MAP_BYTES = 2 ** 40

/** lmdb's getBinary takes a transaction, which its types leave out. */
interface ViewReader {
  getBinary(key: Uint8Array, options: { transaction: Transaction }): Uint8Array | undefined
}

export class LmdbStore implements OrderedStore {
  readonly #directory: string
  /** The view that reads see. Kept on purpose: lmdb by itself moves to a newer one with every turn of the event loop. */
  #view: Transaction | undefined
  #database: RootDatabase<Uint8Array, Uint8Array>

  constructor(directory: string, options: { readOnly: boolean }) {
    this.#directory = directory
    if (!options.readOnly) mkdirSync(directory, { recursive: true, mode: 0o700 })
    this.#database = openDatabase(directory, options.readOnly)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const database: ViewReader = this.#database
    return database.getBinary(key, { transaction: this.#openView() })
  }

  floor(key: Uint8Array): Uint8Array | undefined {
    return this.#first({ start: key, reverse: true, limit: 1 })
  }

  after(key: Uint8Array): Uint8Array | undefined {
    return this.#first({ start: key, exclusiveStart: true, limit: 1 })
  }

  write(changes: readonly StoreChange[]): void {
    try {
      this.#database.transactionSync(() => {
        for (const { key, value } of changes) {
          if (value === null) this.#database.removeSync(key)
          else this.#database.putSync(key, value)
        }
      })
    } catch (error) {
      throw new AteError(isNoSpace(error) ? 'NO_SPACE' : 'INPUT_OUTPUT', 'the index could not be written', {
        cause: error,
      })
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
    this.#database.clearSync()
    this.refresh()
  }

  sizeBytes(): number {
    return statSync(join(this.#directory, FILE_NAME), { throwIfNoEntry: false })?.size ?? 0
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

  #first(range: RangeOptions): Uint8Array | undefined {
    for (const key of this.#database.getKeys({ ...range, transaction: this.#openView() })) return Uint8Array.from(key)
    return undefined
  }
}

/** Removes an index that cannot be used; the next open rebuilds it. */
export function removeLmdbStore(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}

function openDatabase(directory: string, readOnly: boolean): RootDatabase<Uint8Array, Uint8Array> {
  return open<Uint8Array, Uint8Array>({
    path: join(directory, FILE_NAME),
    keyEncoding: 'binary',
    encoding: 'binary',
    noSubdir: true,
    readOnly,
    mapSize: MAP_BYTES,
    maxDbs: 1,
    overlappingSync: false,
    eventTurnBatching: false,
    pageSize: 4096,
  })
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && /ENOSPC|No space left|MDB_MAP_FULL/.test(error.message)
}
