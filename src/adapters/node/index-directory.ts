/** Opens the index of a chain, or what stands in for it when it cannot be used. */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { MemoryStore } from '../../engine/index/memory-store.js'
import type { OrderedStore } from '../../engine/index/ordered-store.js'
import { LmdbStore, removeLmdbStore } from './lmdb-store.js'

export interface IndexStoreOptions {
  /** Leave the one on disk alone, whatever it holds. */
  inMemory: boolean
  onNotice: (message: string) => void
}

/** A store to write: the one on disk; a fresh one where that is broken; memory where nothing can be written. */
export function openIndexStore(directory: string, { inMemory, onNotice }: IndexStoreOptions): OrderedStore {
  if (inMemory) return new MemoryStore()
  if (!isWritable(directory)) {
    onNotice('The index cannot be written where the log lies: it is built in memory from the whole log.')
    return new MemoryStore()
  }
  try {
    return new LmdbStore(directory, { readOnly: false })
  } catch {
    onNotice('The index could not be opened and is rebuilt from the log.')
    removeLmdbStore(directory)
    return new LmdbStore(directory, { readOnly: false })
  }
}

function isWritable(directory: string): boolean {
  try {
    accessSync(existsSync(directory) ? directory : dirname(directory), constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
