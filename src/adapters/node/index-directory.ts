/** Opens the index of a chain, or what stands in for it when it cannot be used. */
import { existsSync } from 'node:fs'
import { LayeredStore } from '../../engine/index/layered-store.js'
import { MemoryStore } from '../../engine/index/memory-store.js'
import type { OrderedStore } from '../../engine/index/ordered-store.js'
import { fileError } from './file-error.js'
import { reserveLockFile } from './lmdb-file.js'
import { LmdbStore, removeLmdbStore } from './lmdb-store.js'
import { makeDirectory } from './make-directory.js'

type Notice = (message: string) => void

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

/** A store for one of several readers: what it changes stays in its memory, so none of them needs to know of another. */
export function openIndexToRead(directory: string, onNotice: Notice): OrderedStore {
  try {
    if (existsSync(directory)) return new LayeredStore(openStoredIndex(directory))
  } catch {
    // Broken, or another user's: the log has it all.
  }
  onNotice('There is no index that could be read: it is built in memory from the whole log.')
  return new MemoryStore()
}

/** The index as it lies there, for a process that has it not open yet. */
export function openStoredIndex(directory: string): LmdbStore {
  reserveLockFile(directory)
  return new LmdbStore(directory, { readOnly: true })
}

function openToWrite(directory: string): LmdbStore {
  makeDirectory(directory, 0o700)
  reserveLockFile(directory)
  return new LmdbStore(directory, { readOnly: false })
}
