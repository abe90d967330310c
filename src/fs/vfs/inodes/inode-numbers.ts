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

/** Numbers that only this process gives out: [next, end). */
interface Block {
  next: number
  end: number
}

export class InodeNumbers {
  readonly #view: RecordView
  #block: Block
  /** Where others have reserved numbers behind the block: what comes when that is used up. */
  #spare: Block | undefined
  /** As the record says. */
  #reserved: number
  /** Inodes that exist. */
  inodes: number
  #storedInodes: number

  constructor(view: RecordView) {
    this.#view = view
    const { reserved, inodes } = this.#stored() ?? { reserved: ROOT_INO + 1, inodes: 0 }
    this.#reserved = reserved
    this.#block = { next: reserved, end: reserved }
    this.inodes = this.#storedInodes = inodes
  }

  take(): Ino {
    if (this.#spare === undefined && this.#block.end - this.#block.next < BLOCK / 2) this.#reserve()
    if (this.#block.next === this.#block.end) {
      this.#block = this.#spare ?? this.#block
      this.#spare = undefined
    }
    return this.#block.next++
  }

  /** Reserves all numbers below `end`. Returns from where on nobody else had. */
  reserveTo(end: Ino): Ino {
    const before = this.#reserved
    if (end <= before || end > NUMBERS_PER_SLOT) return before
    this.#reserved = end
    this.#put()
    return before
  }

  /** Puts the record if the number of inodes changed; part of every commit. */
  flush(): void {
    if (this.inodes !== this.#storedInodes) this.#put()
  }

  /** The record was changed elsewhere. What is reserved here stays so. */
  reload(): void {
    const stored = this.#stored()
    if (stored === undefined) return
    this.#reserved = stored.reserved
    this.inodes = this.#storedInodes = stored.inodes
  }

  /** Gives back what was reserved and not used, and nobody has reserved numbers behind. */
  close(): void {
    const before = this.#reserved
    for (const { next, end } of [this.#spare, this.#block].filter((block) => block !== undefined))
      if (end === this.#reserved) this.#reserved = next
    this.#spare = undefined
    this.#block = { next: this.#reserved, end: this.#reserved }
    if (this.#reserved !== before) this.#put()
  }

  #reserve(): void {
    const block = this.#block
    const isLast = block.end === this.#reserved
    const from = isLast ? block.next : this.#reserved
    const end = from + BLOCK
    if (end > NUMBERS_PER_SLOT) throw new AteError('NO_SPACE', 'No inode numbers are left.')
    if (isLast) block.end = end
    else this.#spare = { next: from, end }
    this.#reserved = end
    this.#put()
  }

  #stored(): NumbersState | undefined {
    const stored = this.#view.get(KIND_STATE, 0, STATE_NUMBERS)
    return stored === undefined ? undefined : decodeNumbers(stored)
  }

  #put(): void {
    this.#view.put(KIND_STATE, 0, STATE_NUMBERS, encodeNumbers({ reserved: this.#reserved, inodes: this.inodes }))
    this.#storedInodes = this.inodes
  }
}
