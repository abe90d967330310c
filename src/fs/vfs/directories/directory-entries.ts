/**
 * Names to inodes. Every change is a record put or deleted at once; nothing about directories waits for a commit.
 *
 * The last name asked for is remembered with its record: a creation is a lookup that found nothing, another one by the
 * operation itself and the insertion, all of one name. Every change of a record goes through here and updates it.
 */
import type { RecordView } from '../../../engine/chain/record-view.js'
import { AteError } from '../../../engine/error.js'
import { entryDamaged } from '../damage-messages.js'
import {
  decodeEntries,
  encodeEntries,
  encodeSingleEntry,
  isEntryName,
  SLOTS,
  type Entry,
} from '../records/entry-record.js'
import { KIND_ENTRY, MAX_LOW } from '../records/record-kinds.js'
import type { Ino, Name } from '../types.js'

/** 53 bits of a keyed hash of a name. */
export type NameHash = (name: string) => number

const NO_ENTRIES: readonly Entry[] = []

/** Greatest low such that every cookie of its record is below 2^53. */
const MAX_ENTRY_LOW = 2 ** 48 - 2

/** Place of a name's record in its directory: 48 bits, so that slot and the first three cookies fit beside it. */
export function lowOf(hash: number): number {
  return Math.min(Math.floor(hash / SLOTS), MAX_ENTRY_LOW)
}

export class DirectoryEntries {
  readonly #view: RecordView
  readonly #hash: NameHash
  #directory: Ino = 0
  #name: string | undefined
  #low = 0
  #entries: readonly Entry[] = NO_ENTRIES
  readonly #onChange: (directory: Ino) => void
  readonly #onWarning: (message: string) => void

  /** `onChange` is told of every directory whose entries changed. */
  constructor(
    view: RecordView,
    hash: NameHash,
    onChange: (directory: Ino) => void,
    onWarning: (message: string) => void,
  ) {
    this.#view = view
    this.#hash = hash
    this.#onChange = onChange
    this.#onWarning = onWarning
  }

  /** The entry, or undefined. Never change it. */
  find(directory: Ino, name: Name): Entry | undefined {
    this.#seek(directory, name)
    const entries = this.#entries
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]
      if (entry?.name === name) return entry
    }
    return undefined
  }

  /** Adds an entry that is not there. Fails with NO_SPACE when too many names share a hash. */
  insert(directory: Ino, name: Name, ino: Ino, type: number): void {
    this.#seek(directory, name)
    const entries = this.#entries
    if (entries.length === 0) {
      this.#entries = [{ slot: 0, type, ino, name }]
      this.#view.put(KIND_ENTRY, directory, this.#low, encodeSingleEntry(0, type, ino, name))
      this.#onChange(directory)
      return
    }
    const slot = freeSlot(entries)
    const after = entries.findIndex((entry) => entry.slot > slot)
    const changed = [...entries]
    changed.splice(after < 0 ? changed.length : after, 0, { slot, type, ino, name })
    this.#store(directory, changed)
  }

  /** Lets an entry that is there name another inode. */
  replace(directory: Ino, name: Name, ino: Ino, type: number): void {
    this.#seek(directory, name)
    this.#store(
      directory,
      this.#entries.map((entry) => (entry.name === name ? { slot: entry.slot, type, ino, name } : entry)),
    )
  }

  /** Removes an entry that is there. */
  remove(directory: Ino, name: Name): void {
    this.#seek(directory, name)
    if (this.#entries.length === 1) {
      this.#entries = NO_ENTRIES
      this.#view.delete(KIND_ENTRY, directory, this.#low)
      this.#onChange(directory)
      return
    }
    this.#store(
      directory,
      this.#entries.filter((entry) => entry.name !== name),
    )
  }

  /** The directory's records were changed elsewhere. */
  forget(directory: Ino): void {
    if (this.#directory === directory) this.#name = undefined
    this.#onChange(directory)
  }

  isEmpty(directory: Ino): boolean {
    return this.#view.range(KIND_ENTRY, directory, 0, MAX_LOW, 1).length === 0
  }

  /** Makes name and record the remembered ones. */
  #seek(directory: Ino, name: Name): void {
    if (this.#directory === directory && this.#name === name) return
    if (name.length > 255) throw new AteError('NAME_TOO_LONG', 'A name has at most 255 bytes.')
    if (!isEntryName(name)) throw new AteError('INVALID', 'Not a name that a file can have.')
    const low = lowOf(this.#hash(name))
    const record = this.#view.get(KIND_ENTRY, directory, low)
    // Only assigned once nothing can fail any more.
    const entries = record === undefined ? NO_ENTRIES : this.#decode(directory, record)
    this.#directory = directory
    this.#name = name
    this.#low = low
    this.#entries = entries
  }

  #decode(directory: Ino, record: Uint8Array): readonly Entry[] {
    try {
      return decodeEntries(record)
    } catch (error) {
      this.#onWarning(entryDamaged(directory))
      throw error
    }
  }

  #store(directory: Ino, entries: readonly Entry[]): void {
    this.#entries = entries
    this.#view.put(KIND_ENTRY, directory, this.#low, encodeEntries(entries))
    this.#onChange(directory)
  }
}

function freeSlot(entries: readonly Entry[]): number {
  for (let slot = 0; slot < SLOTS; slot++) {
    if (!entries.some((entry) => entry.slot === slot)) return slot
  }
  throw new AteError('NO_SPACE', 'Too many names of one directory have the same hash.')
}
