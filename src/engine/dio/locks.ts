/**
 * Locks on names: each has one owner at a time, for as long as its lease lasts, and nobody else releases it. Whoever waits
 * is served in order. The number that comes with a lock grows with every owner of any: where it is checked, an owner that
 * has lost his lock without knowing is refused.
 */
import { AteError } from '../error.js'
import { Deadline } from './deadline.js'

/** How long a lock is held. */
export interface LockOptions {
  /** How long it is held unless it is extended. The default is 30 seconds. */
  leaseMs?: number
}

/** How long a lock is waited for, and held. */
export interface WaitOptions extends LockOptions {
  /** TIMED_OUT after it. The default is to wait for ever. */
  timeoutMs?: number
  /** Ends the waiting. ABORTED. */
  signal?: AbortSignal
}

const DEFAULT_LEASE_MS = 30_000

interface LockState {
  holder: ChainLock | undefined
  waiting: (() => void)[]
}

/** A lock that was taken: of one owner until `unlock`, the end of its block (`using`), or the end of its lease. */
export class ChainLock implements Disposable {
  /** What is locked. */
  readonly name: string
  /** Greater than that of every owner before: who checks it refuses one that has lost his lock without knowing. */
  readonly fence: number
  readonly #leaseMs: number
  readonly #onEnd: () => void
  #expiry: ReturnType<typeof setTimeout> | undefined

  /** @internal */
  constructor(name: string, fence: number, leaseMs: number, onEnd: () => void) {
    this.name = name
    this.fence = fence
    this.#leaseMs = leaseMs
    this.#onEnd = onEnd
    this.#start()
  }

  /** False when it was unlocked, or its lease is over. */
  get isHeld(): boolean {
    return this.#expiry !== undefined
  }

  /** Begins the lease anew. LOCK_LOST when it has ended. */
  extend(): void {
    if (!this.isHeld) throw new AteError('LOCK_LOST', `The lock ${this.name} has run out: somebody else may have it.`)
    clearTimeout(this.#expiry)
    this.#start()
  }

  /** May be called again, and after it has run out: it is nobody else's lock that is released. */
  unlock(): void {
    if (!this.isHeld) return
    clearTimeout(this.#expiry)
    this.#expiry = undefined
    this.#onEnd()
  }

  [Symbol.dispose](): void {
    this.unlock()
  }

  #start(): void {
    this.#expiry = setTimeout(() => this.unlock(), this.#leaseMs)
  }
}

export class Locks {
  readonly #states = new Map<string, LockState>()
  #lastFence = 0
  #isClosed = false

  /** Undefined when somebody has it. */
  tryLock(name: string, { leaseMs = DEFAULT_LEASE_MS }: LockOptions = {}): ChainLock | undefined {
    if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The chain is closed.')
    const state = this.#states.get(name) ?? { holder: undefined, waiting: [] }
    if (state.holder !== undefined) return undefined
    const lock = new ChainLock(name, ++this.#lastFence, leaseMs, () => this.#passOn(name, state))
    state.holder = lock
    this.#states.set(name, state)
    return lock
  }

  /** Waits until it is free. TIMED_OUT, ABORTED, CHAIN_CLOSED. */
  async lock(name: string, options: WaitOptions = {}): Promise<ChainLock> {
    using deadline = new Deadline(options)
    for (;;) {
      const lock = this.tryLock(name, options)
      if (lock !== undefined) return lock
      await this.#turn(name, deadline.signal)
      if (deadline.isGivenUp) throw new AteError('ABORTED', `The lock ${name} was not waited for.`)
      if (deadline.signal.aborted) throw new AteError('TIMED_OUT', `The lock ${name} was not free in time.`)
    }
  }

  /** Releases all, and refuses who waits. */
  close(): void {
    this.#isClosed = true
    for (const { holder, waiting } of this.#states.values()) {
      holder?.unlock()
      for (const wake of waiting) wake()
    }
  }

  /** Resolves when the lock may be free, or the signal came. */
  #turn(name: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const state = this.#states.get(name)
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        const at = state?.waiting.indexOf(wake) ?? -1
        if (at >= 0) state?.waiting.splice(at, 1)
        resolve()
      }
      state?.waiting.push(wake)
      signal.addEventListener('abort', wake)
      if (state === undefined || signal.aborted) wake()
    })
  }

  #passOn(name: string, state: LockState): void {
    state.holder = undefined
    const [next] = state.waiting
    if (next === undefined) this.#states.delete(name)
    else next()
  }
}
