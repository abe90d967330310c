/**
 * Hands out inode numbers: writer slot * 2^40 + a counter. Numbers are reserved in blocks, ahead of their use, so that the
 * counter's record is not rewritten per file and a number lost in a crash is not given to another file: programs remember
 * them. The record also keeps the number of inodes, for statfs.
 */
import { ByteReader } from '../../../engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../engine/bytes/byte-writer.js'
import type { RecordView } from '../../../engine/chain/record-view.js'
import { AteError } from '../../../engine/error.js'
import { KIND_STATE, STATE_NUMBERS } from '../records/record-kinds.js'
import { ROOT_INO, type Ino } from '../types.js'

const VERSION = 1
const BLOCK = 4096
/** Numbers of one writer slot. This program writes as slot 0. */
export const NUMBERS_PER_SLOT = 2 ** 40

const writer = new ByteWriter(32)

export interface NumbersState {
  /** No number from here on was ever given out. */
  reserved: number
  inodes: number
}

export function encodeNumbers(state: NumbersState): Uint8Array {
  return writer.reset().u8(VERSION).varint(state.reserved).varint(state.inodes).copy()
}

/** Throws BAD_FORMAT. */
export function decodeNumbers(bytes: Uint8Array): NumbersState {
  const reader = new ByteReader(bytes, 'inode numbers')
  const version = reader.u8('version')
  if (version !== VERSION) throw reader.bad('version', `is ${version}, not ${VERSION}`)
  const reserved = reader.varint('reserved')
  if (reserved <= ROOT_INO || reserved > NUMBERS_PER_SLOT) throw reader.bad('reserved', 'is no inode number')
  const inodes = reader.varint('inodes')
  reader.done()
  return { reserved, inodes }
}

export class InodeNumbers {
  readonly #view: RecordView
  #next: number
  #reserved: number
  /** Inodes that exist. */
  inodes: number
  #storedInodes: number

  constructor(view: RecordView) {
    this.#view = view
    const stored = view.get(KIND_STATE, 0, STATE_NUMBERS)
    const state = stored === undefined ? { reserved: ROOT_INO + 1, inodes: 0 } : decodeNumbers(stored)
    this.#next = this.#reserved = state.reserved
    this.inodes = this.#storedInodes = state.inodes
  }

  take(): Ino {
    if (this.#reserved - this.#next < BLOCK / 2) this.#reserve(this.#next + BLOCK)
    return this.#next++
  }

  /** Puts the record if the number of inodes changed; part of every commit. */
  flush(): void {
    if (this.inodes !== this.#storedInodes) this.#put()
  }

  /** The record was changed elsewhere. Nothing may be taken and not put. */
  reload(): void {
    const stored = this.#view.get(KIND_STATE, 0, STATE_NUMBERS)
    if (stored === undefined) return
    const state = decodeNumbers(stored)
    this.#next = this.#reserved = state.reserved
    this.inodes = this.#storedInodes = state.inodes
  }

  /** Gives back what was reserved and not used. */
  close(): void {
    if (this.#reserved === this.#next) return
    this.#reserved = this.#next
    this.#put()
  }

  #reserve(until: number): void {
    if (until > NUMBERS_PER_SLOT) throw new AteError('NO_SPACE', 'No inode numbers are left.')
    this.#reserved = until
    this.#put()
  }

  #put(): void {
    this.#view.put(KIND_STATE, 0, STATE_NUMBERS, encodeNumbers({ reserved: this.#reserved, inodes: this.inodes }))
    this.#storedInodes = this.inodes
  }
}
