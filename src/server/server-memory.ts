/** What all connections of a server together may make it hold. */
import { AteError } from '../engine/error.js'
import { systemTimers, type Timers } from '../wire/index.js'
import { newBatchMemory } from './batch-memory.js'
import { ReaderMemory } from './reader-memory.js'

/** What waits for one who follows, at most and at least. */
const MOST_EAGER_BYTES = 512 * 1024
const LEAST_EAGER_BYTES = 32 * 1024
/** When more than half of the memory is used, one of several connections may have such a part of it. */
const SCARCE_SHARES = 8
/** In the time that a lost connection has to come back. */
const LOOKS = 25

export interface MemoryLimits {
  readonly heldBytes: number
  readonly unsentBytes: number
  readonly graceMs: number
}

export class ServerMemory {
  connections = 0
  /** A half of what may wait for those who follow: large batches, of few at a time. */
  readonly readers: ReaderMemory
  readonly batches = newBatchMemory()
  readonly #limits: MemoryLimits
  #held = 0

  constructor(limits: MemoryLimits, timers: Timers = systemTimers) {
    this.#limits = limits
    this.readers = new ReaderMemory({ bytes: limits.unsentBytes / 2, timers, lookMs: limits.graceMs / LOOKS })
  }

  /** The other half: up to this waits for a connection before more is only sent when it takes what is there. */
  get eagerBytes(): number {
    const share = this.#limits.unsentBytes / 2 / Math.max(1, this.connections)
    return Math.max(LEAST_EAGER_BYTES, Math.min(MOST_EAGER_BYTES, share))
  }

  /** So much is held that the largest batch may not be taken besides. */
  get isScarce(): boolean {
    return this.#held > this.#limits.heldBytes / SCARCE_SHARES
  }

  /** A connection that has `own` held brought something. LAGGED when that is too much: it may be brought another time. */
  hold(bytes: number, own: number): void {
    const { heldBytes } = this.#limits
    const held = this.#held + bytes
    const isGreedy = held > heldBytes / 2 && own + bytes > heldBytes / SCARCE_SHARES && this.#held > own
    if (held > heldBytes || isGreedy)
      throw new AteError('LAGGED', 'Too much is brought to this server at the same time.')
    this.#held = held
  }

  /** It was written, or let go. */
  free(bytes: number): void {
    this.#held -= bytes
  }
}
