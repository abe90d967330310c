/**
 * Memory that both threads see: content is written into it once, by the thread that answers requests, and sealed from
 * it by the one that commits. An arena belongs to one transaction, or to several small ones that follow each other, and
 * returns to the pool when the last of them is durable.
 */
const ARENA_BYTES = 1024 * 1024
/** Arenas kept for reuse: fresh memory costs a page fault per 4 KiB. */
const POOLED_ARENAS = 80
/** An arena with less room than this is not handed on to the next transaction. */
const WORTH_SHARING_BYTES = ARENA_BYTES / 2

export class Arena {
  readonly id: number
  readonly memory: Uint8Array
  used = 0
  /** Transactions that have ended and may still be read from it. */
  readers = 0

  constructor(id: number, bytes: number) {
    this.id = id
    // Shared where the platform allows: browsers without cross-origin isolation have no SharedArrayBuffer.
    const buffer = typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes)
    this.memory = new Uint8Array(buffer)
  }

  get freeBytes(): number {
    return this.memory.length - this.used
  }
}

export class ArenaPool {
  readonly #free: Arena[] = []
  #current: Arena | undefined
  #taken: Arena[] = []
  #nextId = 1

  /** `length` bytes that belong to the current transaction. Not zeroed. */
  stage(length: number): Uint8Array {
    let arena = this.#current
    if (arena === undefined || arena.freeBytes < length) {
      arena = this.#take(length)
      this.#current = arena
    }
    const start = arena.used
    arena.used += length
    return arena.memory.subarray(start, start + length)
  }

  /** The arenas of the current transaction, which ends; they come back through `recycle`. */
  detach(): Arena[] {
    const taken = this.#taken
    for (const arena of taken) arena.readers++
    const isShared = this.#current !== undefined && this.#current.freeBytes >= WORTH_SHARING_BYTES
    if (!isShared) this.#current = undefined
    this.#taken = this.#current === undefined ? [] : [this.#current]
    return taken
  }

  recycle(arenas: readonly Arena[]): void {
    for (const arena of arenas) {
      if (--arena.readers > 0 || this.#taken.includes(arena)) continue
      if (arena.memory.length !== ARENA_BYTES || this.#free.length >= POOLED_ARENAS) continue
      arena.used = 0
      this.#free.push(arena)
    }
  }

  #take(length: number): Arena {
    const arena =
      length <= ARENA_BYTES
        ? (this.#free.pop() ?? new Arena(this.#nextId++, ARENA_BYTES))
        : new Arena(this.#nextId++, length)
    this.#taken.push(arena)
    return arena
  }
}
