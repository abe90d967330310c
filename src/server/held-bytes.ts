/**
 * What one connection brings, on all its channels together, and holds in memory: bytes of batches that are not whole, which only
 * reading on can end, so that beyond the bound they are refused; and of batches that wait to be written, for which reading waits.
 */
import { AteError } from '../engine/error.js'
import { MAX_BATCH_BYTES } from '../engine/limits.js'
import type { ServerMemory } from './server-memory.js'

/** Batches that share signatures come one by one: almost a whole batch of them, and the last. */
const MAX_ASSEMBLED_BYTES = 2 * MAX_BATCH_BYTES + 16 * 1024 * 1024

type HeldMemory = Pick<ServerMemory, 'hold' | 'free' | 'isScarce'>

export class HeldBytes {
  readonly #maxWaiting: number
  readonly #server: HeldMemory
  readonly #maxAssembled: number
  #assembled = 0
  #waiting = 0
  #forRoom: (() => void)[] = []

  constructor(maxWaiting: number, server: HeldMemory, maxAssembled = MAX_ASSEMBLED_BYTES) {
    this.#maxWaiting = maxWaiting
    this.#server = server
    this.#maxAssembled = maxAssembled
  }

  /** All connections together hold much: nobody has the time to bring a batch slowly. */
  get isScarce(): boolean {
    return this.#server.isScarce
  }

  /** A part has come. BATCH_REFUSED when there is too much of it, LAGGED when there is of all connections. */
  assemble(bytes: number): void {
    if (this.#assembled + bytes > this.#maxAssembled)
      throw new AteError('BATCH_REFUSED', 'The connection brings too much at the same time.')
    this.#server.hold(bytes, this.#assembled + this.#waiting)
    this.#assembled += bytes
  }

  /** Parts were let go. */
  forget(bytes: number): void {
    this.#assembled -= bytes
    this.#server.free(bytes)
  }

  /** Parts have become batches, which wait to be written. */
  bring(bytes: number): void {
    this.#assembled -= bytes
    this.#waiting += bytes
  }

  /** They were written, or refused. */
  taken(bytes: number): void {
    this.#waiting -= bytes
    this.#server.free(bytes)
    if (this.#waiting <= this.#maxWaiting) for (const resolve of this.#forRoom.splice(0)) resolve()
  }

  /** A promise when nothing should be read until it resolves. */
  room(): Promise<void> | undefined {
    if (this.#waiting <= this.#maxWaiting) return undefined
    return new Promise((resolve) => this.#forRoom.push(resolve))
  }
}
