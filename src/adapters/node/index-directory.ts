/** Opens the index of a chain, or what stands in for it when it cannot be used. */
import { closeSync, existsSync, fsyncSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AteError, errorCode } from '../../engine/error.js'
import { LayeredStore } from '../../engine/index/layered-store.js'
import { MemoryStore } from '../../engine/index/memory-store.js'
import type { OrderedStore } from '../../engine/index/ordered-store.js'
import { runSteps } from '../../engine/run-steps.js'
import { fileError } from './file-error.js'
import { dataFile, isDataFileUsable, reserveLockFile, sizeOf } from './lmdb-file.js'
import { checkPages } from './lmdb-pages.js'
import { LmdbStore, removeLmdbStore } from './lmdb-store.js'
import { makeDirectory } from './make-directory.js'
import { syncDirectory } from './replace-directory.js'

type Notice = (message: string) => void

/** A file beside the index, put there by who found it damaged and may not or cannot put it right. */
const BROKEN_NAME = 'broken'

/** The store of a chain's only writer: the one on disk, or a fresh one where that is broken. Throws NO_SPACE and others. */
export function openIndexToWrite(directory: string, onNotice: Notice): OrderedStore {
  try {
    return openToWrite(directory)
  } catch (error) {
    const problem = fileError('open', 'the index', error)
    // A full disk, or one that may not be written, says nothing of the index.
    if (problem.code !== 'BAD_FORMAT' && problem.code !== 'INPUT_OUTPUT') throw problem
    onNotice('The index could not be opened and is rebuilt from the log.')
    removeLmdbStore(directory)
    return openToWrite(directory)
  }
}

/** Opens what reads a store; where it fails because of the store, once more with another one. `store` is closed then. */
export async function withStore<T>(
  store: OrderedStore,
  another: () => OrderedStore,
  open: (store: OrderedStore) => Promise<T>,
): Promise<{ store: OrderedStore; opened: T }> {
  try {
    return { store, opened: await open(store) }
  } catch (error) {
    await store.close()
    const code = errorCode(error)
    // What LMDB cannot read, or a leaf that does not verify. The log itself fails in other ways.
    if (code !== 'BAD_FORMAT' && code !== 'BODY_DAMAGED') throw error
  }
  const second = another()
  try {
    return { store: second, opened: await open(second) }
  } catch (error) {
    await second.close()
    throw error
  }
}

/** A store for one of several readers: what it changes stays in its memory, so none of them needs to know of another. */
export function openIndexToRead(directory: string, onNotice: Notice): OrderedStore {
  try {
    if (existsSync(directory)) return new LayeredStore(openStoredIndex(directory))
  } catch {
    // Broken, or another user's: the log has it all.
  }
  return indexInMemory(onNotice)
}

export function indexInMemory(onNotice: Notice): OrderedStore {
  onNotice('There is no index that could be read: it is built in memory from the whole log.')
  return new MemoryStore()
}

/** Instead of a store that turned out to be broken after it was opened, and is closed again. */
export function reopenIndexToWrite(directory: string, onNotice: Notice): OrderedStore {
  markIndexBroken(directory)
  return openIndexToWrite(directory, onNotice)
}

/** The index as it lies there, for a process that has it not open yet. Throws BAD_FORMAT when it is not to be relied on. */
export function openStoredIndex(directory: string): LmdbStore {
  refuseBroken(directory)
  reserveLockFile(directory)
  return new LmdbStore(directory, { readOnly: true })
}

function openToWrite(directory: string): LmdbStore {
  makeDirectory(directory, 0o700)
  refuseBroken(directory)
  reserveLockFile(directory)
  return new LmdbStore(directory, { readOnly: false })
}

/** Makes the next writing mount rebuild the index; one that only reads does without it. */
export function markIndexBroken(directory: string): void {
  try {
    writeFileSync(join(directory, BROKEN_NAME), '')
  } catch {
    // A directory that cannot be written to: nothing can be rebuilt in it either.
  }
}

/** It takes in what nobody judges: whoever opens the chain next, also after a crash, makes it anew. What writing a file throws. */
export function markIndexUnjudged(directory: string): void {
  const fd = openSync(join(directory, BROKEN_NAME), 'w', 0o600)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  syncDirectory(directory)
}

function refuseBroken(directory: string): void {
  if (!existsSync(join(directory, BROKEN_NAME)) && arePagesWhole(directory)) return
  throw new AteError('BAD_FORMAT', 'the index is damaged')
}

function arePagesWhole(directory: string): boolean {
  if (sizeOf(dataFile(directory)) === 0) return true
  if (!isDataFileUsable(directory, { readOnly: true })) return false
  return runSteps(checkPages(directory, { quick: true }))
}
