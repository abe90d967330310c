/** What all connections of a server together may make it hold. */
import { AteError } from '../engine/error.js'

/** What waits for one who follows, at most and at least. */
const MOST_EAGER_BYTES = 512 * 1024
const LEAST_EAGER_BYTES = 32 * 1024

export interface MemoryLimits {
  readonly heldBytes: number
  readonly unsentBytes: number
}

export class ServerMemory {
  connections = 0
  readonly #limits: MemoryLimits
  #held = 0

  constructor(limits: MemoryLimits) {
    this.#limits = limits
  }

  /** Up to this waits for a connection before more is only sent when it takes what is there: the more there are the less. */
  get eagerBytes(): number {
    const share = this.#limits.unsentBytes / Math.max(1, this.connections)
    return Math.max(LEAST_EAGER_BYTES, Math.min(MOST_EAGER_BYTES, share))
  }

  /** Something was brought. LAGGED when there is too much: it may be brought another time. */
  hold(bytes: number): void {
    if (this.#held + bytes > this.#limits.heldBytes)
      throw new AteError('LAGGED', 'Too much is brought to this server at the same time.')
    this.#held += bytes
  }

  /** It was written, or let go. */
  free(bytes: number): void {
    this.#held -= bytes
  }
}
