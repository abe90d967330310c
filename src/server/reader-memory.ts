/**
 * What all who follow and read slowly make a server hold together: batches that are on their way to them. Who gets none waits until
 * others have taken theirs; one who takes nothing meanwhile is sent away, and goes on from the log when he comes back.
 */
import { AteError } from '../engine/error.js'
import { MAX_PART_BYTES } from '../sync/index.js'
import type { Timers } from '../wire/index.js'

/** Batches that are read at the same time for those who have taken one before, and for others: of what size is only known then. */
const MAX_READING = 4

/** Less than this between looks is nothing: a byte at a time nobody keeps what is lent to him. */
const LEAST_TAKEN_BYTES = 1024

/** Whoever has taken nothing at so many looks keeps nobody waiting any more: if he has before, and if he has not. */
const PATIENCE = { proven: 10, others: 2 }

export interface ReaderMemoryOptions {
  readonly bytes: number
  readonly timers: Timers
  /** While somebody waits it is looked so often what the others take. */
  readonly lookMs: number
}

/** To whom it goes. */
export interface Taker {
  readonly unsentBytes: number
  close(error: AteError): unknown
}

/** Of one who follows. */
export interface Reader {
  readonly taker: Taker
  lent: number
  /** What waited for the taker when he was last seen to have taken something, if nothing was sent to him since. */
  unsent: number
  /** Looks since then. */
  looks: number
  /** He has taken something before: he waits for nobody who has not. */
  isProven: boolean
  hasEnded: boolean
}

interface Waiting {
  readonly reader: Reader
  readonly bytes: number
  readonly resolve: () => void
}

export class ReaderMemory {
  readonly #options: ReaderMemoryOptions
  readonly #holders = new Set<Reader>()
  readonly #turns = { proven: new Turns(), others: new Turns() }
  #forRoom: Waiting[] = []
  #lent = 0
  #isWatching = false

  constructor(options: ReaderMemoryOptions) {
    this.#options = options
  }

  get lentBytes(): number {
    return this.#lent
  }

  reader(taker: Taker): Reader {
    return { taker, lent: 0, unsent: Infinity, looks: 0, isProven: false, hasEnded: false }
  }

  /** Reads something of unknown size, and resolves with it when there is room, or the reader has ended. */
  async read<T extends { readonly bytes: number }>(
    reader: Reader,
    read: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const turns = reader.isProven ? this.#turns.proven : this.#turns.others
    await turns.begin()
    try {
      const result = reader.hasEnded ? undefined : await read()
      if (result !== undefined) await this.lend(reader, result.bytes)
      return result
    } finally {
      turns.end()
    }
  }

  /** Resolves when there is room for a batch and a copy of a part of it, or the reader has ended. */
  async lend(reader: Reader, bytes: number): Promise<void> {
    const all = bytes + Math.min(bytes, MAX_PART_BYTES)
    const before = this.#forRoom.findIndex((waiting) => reader.isProven && !waiting.reader.isProven)
    const at = before < 0 ? this.#forRoom.length : before
    if (reader.hasEnded || (at === 0 && this.#take(reader, all))) return
    this.#watch()
    await new Promise<void>((resolve) => this.#forRoom.splice(at, 0, { reader, bytes: all, resolve }))
  }

  /** Something was sent to him. */
  noteProgress(reader: Reader): void {
    reader.unsent = Infinity
  }

  /** The taker has what was lent for him. */
  giveBack(reader: Reader): void {
    this.#holders.delete(reader)
    this.#lent -= reader.lent
    reader.isProven ||= reader.lent > 0
    reader.lent = 0
    while (this.#forRoom[0] !== undefined && this.#take(this.#forRoom[0].reader, this.#forRoom[0].bytes))
      this.#forRoom.shift()?.resolve()
  }

  /** He is gone. */
  end(reader: Reader): void {
    reader.hasEnded = true
    const gone = this.#forRoom.filter((waiting) => waiting.reader === reader)
    this.#forRoom = this.#forRoom.filter((waiting) => waiting.reader !== reader)
    for (const { resolve } of gone) resolve()
    this.giveBack(reader)
  }

  /** One alone has room for any batch. */
  #take(reader: Reader, bytes: number): boolean {
    if (this.#lent > 0 && this.#lent + bytes > this.#options.bytes) return false
    this.#lent += bytes
    reader.lent += bytes
    reader.unsent = Infinity
    this.#holders.add(reader)
    return true
  }

  /** While anybody waits. */
  #watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#options.timers.after(this.#options.lookMs, () => {
      this.#isWatching = false
      if (this.#forRoom.length === 0) return
      this.#watch()
      for (const reader of [...this.#holders]) this.#look(reader)
    })
  }

  #look(reader: Reader): void {
    const { unsentBytes } = reader.taker
    const hasTaken = unsentBytes === 0 || reader.unsent - unsentBytes >= LEAST_TAKEN_BYTES
    reader.looks = hasTaken ? 0 : reader.looks + 1
    if (hasTaken) reader.unsent = unsentBytes
    if (reader.looks >= (reader.isProven ? PATIENCE.proven : PATIENCE.others))
      reader.taker.close(new AteError('LAGGED', 'Others wait for the memory of what is not read here.'))
  }
}

class Turns {
  #reading = 0
  readonly #waiting: (() => void)[] = []

  begin(): Promise<void> | undefined {
    if (this.#reading++ < MAX_READING) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  end(): void {
    this.#reading--
    this.#waiting.shift()?.()
  }
}
