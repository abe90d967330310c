/**
 * Locks on names: each has one owner at a time, for as long as its lease lasts, and nobody else releases it. Whoever waits
 * is served in order. The number that comes with a lock grows with every owner of any: where it is checked, an owner that
 * has lost his lock without knowing is refused.
 */
import { after } from '../after.js'
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

/** A lock that somebody has. */
interface LockState {
  holder: ChainLock
  /** First come, first served. */
  readonly waiting: Set<Waiting>
}

interface Waiting {
  readonly leaseMs: number | undefined
  readonly serve: (lock: ChainLock) => void
  readonly refuse: (error: AteError) => void
}

/** A lock that was taken: of one owner until `unlock`, the end of its block (`using`), or the end of its lease. */
export class ChainLock implements Disposable {
  /** What is locked. */
  readonly name: string
  /** Greater than that of every owner before: who checks it refuses one that has lost his lock without knowing. */
  readonly fence: number
  readonly #leaseMs: number
  readonly #onEnd: () => void
  /** Where it is renewed elsewhere first: gives how long it is then held. */
  readonly #renew: (() => Promise<number>) | undefined
  #stopLease: (() => void) | undefined

  /** @internal */
  constructor(name: string, fence: number, leaseMs: number, onEnd: () => void, renew?: () => Promise<number>) {
    this.name = name
    this.fence = fence
    this.#leaseMs = leaseMs
    this.#onEnd = onEnd
    this.#renew = renew
    this.#start(leaseMs)
  }

  /** False when it was unlocked, or its lease is over. */
  get isHeld(): boolean {
    return this.#stopLease !== undefined
  }

  /** Begins the lease anew; of a chain of a server, when that has it. LOCK_LOST when it has ended. */
  extend(): void {
    if (!this.isHeld) throw new AteError('LOCK_LOST', `The lock ${this.name} has run out: somebody else may have it.`)
    if (this.#renew === undefined) this.#start(this.#leaseMs)
    else void this.#renew().then((leaseMs) => (this.isHeld ? this.#start(leaseMs) : undefined), ignore)
  }

  /** May be called again, and after it has run out: it is nobody else's lock that is released. */
  unlock(): void {
    if (!this.isHeld) return
    this.#stopLease?.()
    this.#stopLease = undefined
    this.#onEnd()
  }

  [Symbol.dispose](): void {
    this.unlock()
  }

  #start(leaseMs: number): void {
    this.#stopLease?.()
    this.#stopLease = after(leaseMs, () => this.unlock())
  }
}

export class Locks {
  readonly #states = new Map<string, LockState>()
  #lastFence = 0
  #isClosed = false

  /** Undefined when somebody has it. */
  tryLock(name: string, { leaseMs }: LockOptions = {}): ChainLock | undefined {
    if (this.#isClosed) throw closed()
    if (this.#states.has(name)) return undefined
    const holder = this.#newLock(name, leaseMs)
    this.#states.set(name, { holder, waiting: new Set() })
    return holder
  }

  /** Waits until it is free. TIMED_OUT, ABORTED, CHAIN_CLOSED. */
  async lock(name: string, options: WaitOptions = {}): Promise<ChainLock> {
    const lock = this.tryLock(name, options)
    if (lock !== undefined) return lock
    using deadline = new Deadline(options)
    return await this.#turn(name, options.leaseMs, deadline)
  }

  /** Releases all, and refuses who waits. */
  close(): void {
    this.#isClosed = true
    for (const { holder, waiting } of this.#states.values()) {
      for (const { refuse } of waiting) refuse(closed())
      waiting.clear()
      holder.unlock()
    }
  }

  /** Whoever has been served keeps the lock, even when he was about to give up: he has to unlock it. */
  #turn(name: string, leaseMs: number | undefined, deadline: Deadline): Promise<ChainLock> {
    return new Promise((serve, refuse) => {
      const waiting = { leaseMs, serve, refuse }
      const giveUp = (): void => {
        this.#states.get(name)?.waiting.delete(waiting)
        refuse(
          deadline.isGivenUp
            ? new AteError('ABORTED', `The lock ${name} was not waited for.`)
            : new AteError('TIMED_OUT', `The lock ${name} was not free in time.`),
        )
      }
      this.#states.get(name)?.waiting.add(waiting)
      deadline.signal.addEventListener('abort', giveUp)
      if (deadline.signal.aborted) giveUp()
    })
  }

  #newLock(name: string, leaseMs = DEFAULT_LEASE_MS): ChainLock {
    return new ChainLock(name, ++this.#lastFence, leaseMs, () => this.#passOn(name))
  }

  /** To who has waited longest, at once: whoever comes now comes after him. */
  #passOn(name: string): void {
    const state = this.#states.get(name)
    const [next] = state?.waiting ?? []
    if (state === undefined || next === undefined) {
      this.#states.delete(name)
      return
    }
    state.waiting.delete(next)
    state.holder = this.#newLock(name, next.leaseMs)
    next.serve(state.holder)
  }
}

function ignore(): void {
  // It runs out, then.
}

function closed(): AteError {
  return new AteError('CHAIN_CLOSED', 'The chain is closed.')
}
