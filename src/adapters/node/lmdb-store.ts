/**
 * OrderedStore on LMDB. One thread writes, others read the same environment of this process: a reader sees what was
 * committed when it last refreshed, whatever is written meanwhile.
 *
 * Every write is synced when it returns (no overlapping or delayed syncs): a half-written index after a power loss would
 * cost a rebuild.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { AteError } from '../../engine/error.js'
import type { OrderedStore, StoreChange } from '../../engine/index/ordered-store.js'

const FILE_NAME = 'data.mdb'
/** Address space, not memory or disk: 1 TiB of index is some 5,000,000,000 files. */
const MAP_BYTES = 2 ** 40

export class LmdbStore implements OrderedStore {
  readonly #directory: string
  #database: RootDatabase<Uint8Array, Uint8Array>

  constructor(directory: string, options: { readOnly: boolean }) {
    this.#directory = directory
    if (!options.readOnly) mkdirSync(directory, { recursive: true, mode: 0o700 })
    this.#database = openDatabase(directory, options.readOnly)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#database.getBinary(key)
  }

  floor(key: Uint8Array): Uint8Array | undefined {
    return this.#first(this.#database.getKeys({ start: key, reverse: true, limit: 1, snapshot: false }))
  }

  after(key: Uint8Array): Uint8Array | undefined {
    return this.#first(this.#database.getKeys({ start: key, exclusiveStart: true, limit: 1, snapshot: false }))
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
    }
  }

  refresh(): void {
    this.#database.resetReadTxn()
  }

  clear(): void {
    this.#database.clearSync()
  }

  sizeBytes(): number {
    return statSync(join(this.#directory, FILE_NAME), { throwIfNoEntry: false })?.size ?? 0
  }

  async close(): Promise<void> {
    await this.#database.close()
  }

  #first(keys: Iterable<Uint8Array>): Uint8Array | undefined {
    for (const key of keys) return Uint8Array.from(key)
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
