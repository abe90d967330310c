/**
 * Locks on files that hold among all who have a chain (docs/protocol.md, section 8): the server has the table, and this side knows
 * whose locks it holds, lets go of them, and notices when it may have lost them, before anybody else can be given them.
 */
import { copyOf } from '../engine/bytes/copy.js'
import { equalBytes } from '../engine/bytes/equal.js'
import { toHex } from '../engine/bytes/hex.js'
import { AteError, isAteError } from '../engine/error.js'
import { type HeldLock, type LockOutcome, type LockRange, type LockRequest, MAX_LOCKS } from '../sync/index.js'
import { systemTimers, type Timers } from '../wire/index.js'
import type { ChainSession } from './chain-session.js'
import { HeldRanges } from './held-ranges.js'
import { LockClaims } from './lock-claims.js'
import { LeaseClock } from './lease-clock.js'
import { inTime, Waiters } from './waiters.js'
import { LOCK_ANSWER_MS, LOCK_LEASE_MS, PATIENCE_MS, RENEW_MS } from './waits.js'

export interface RemoteLocksOptions {
  readonly timers?: Timers | undefined
  /** How long a server that is away may come back before a lock is refused. */
  readonly patienceMs?: number | undefined
  /** For tests: how long the server keeps locks for certain, and how often it is asked. */
  readonly leaseMs?: number | undefined
  readonly renewMs?: number | undefined
  /** Resolves when all that was changed here is on its way to the server. */
  readonly brought: () => Promise<void>
  /** Names of files on which a lock was lost, or may be: what is remembered of them counts no more. */
  readonly onLost: (files: readonly string[]) => void
}

/** `interrupted`: by the signal. `unavailable`: the server is away, the locks of the file were lost, or there are too many. */
export type LockAnswer = 'granted' | 'held' | 'deadlock' | 'interrupted' | 'unavailable'

export interface HowToLock {
  readonly waits: boolean
  /** Where two would wait for each other, it fails. */
  readonly detects: boolean
  readonly signal?: AbortSignal | undefined
}

const END = Number.MAX_SAFE_INTEGER
/** Until a connection that is ending, and on which every request fails at once, is known to be lost. */
const AGAIN_MS = 20
/** Times that one who does not wait asks on connections that are lost. */
const LOCK_TRIES = 2

export class RemoteLocks {
  readonly #options: RemoteLocksOptions
  readonly #timers: Timers
  readonly #patienceMs: number
  readonly #renewMs: number
  readonly #claims = new LockClaims()
  readonly #held = new HeldRanges()
  readonly #clock: LeaseClock
  readonly #waiters: Waiters
  #session: ChainSession | undefined
  /** The one that the server knows to be ours. */
  #attached: ChainSession | undefined
  #attaching: { readonly session: ChainSession; readonly done: Promise<void> } | undefined
  #name: Uint8Array = new Uint8Array()
  #lease: Uint8Array | null = null
  #ticket = 0
  /** What was let go of while the server was away. */
  #pending: LockRange[] = []
  #sending: Promise<void> | undefined
  #stopRenewing: (() => void) | undefined
  #isTold = false

  constructor(options: RemoteLocksOptions) {
    const { timers = systemTimers, patienceMs = PATIENCE_MS, leaseMs = LOCK_LEASE_MS } = options
    this.#options = options
    this.#timers = timers
    this.#patienceMs = patienceMs
    this.#renewMs = options.renewMs ?? RENEW_MS
    this.#clock = new LeaseClock(leaseMs)
    this.#waiters = new Waiters(timers)
  }

  /** The chain is followed on a connection. `name`: by which the server knows this client, whatever it is connected with. */
  connected(session: ChainSession, name: Uint8Array): void {
    this.#session = session
    this.#name = name
    this.#waiters.resolveAll()
    // A server that was started again waits for all who had some.
    if (this.#lease !== null) void this.#ready()
  }

  /** `isForGood`: the chain was left, and the server keeps no locks for it. */
  disconnected(isForGood = false): void {
    this.#session = this.#attached = undefined
    if (!isForGood) return
    this.#lease = null
    this.#lose()
  }

  /** True while somebody here believes to have a lock on the file that others may have by now: nothing may be read or written. */
  isLost(file: string): boolean {
    return this.#claims.isLost(file) || (!this.#clock.isCertain && this.#claims.isHeld(file))
  }

  /** The owner has a lock on the file. */
  isHeldBy({ file, owner }: Pick<LockRange, 'file' | 'owner'>): boolean {
    return this.#claims.isHeldBy(toHex(file), toHex(owner))
  }

  /** Somebody here has a lock on the file, had one, or asks for one. */
  isUsed(file: string): boolean {
    return this.#claims.isUsed(file)
  }

  async lock(wanted: LockRequest, how: HowToLock): Promise<LockAnswer> {
    const file = toHex(wanted.file)
    for (let failures = 0; ;) {
      if (isAborted(how.signal)) return 'interrupted'
      const session = await this.#ready()
      if (this.#pending.length > 0) await this.#sendPending()
      if (session === undefined || this.#pending.length > 0 || this.isLost(file)) return 'unavailable'
      if (isAborted(how.signal)) return 'interrupted'
      const outcome = await this.#ask(session, wanted, how)
      if (outcome === 'too-many') return 'unavailable'
      if (outcome === 'granted' || outcome === 'held' || outcome === 'deadlock') return outcome
      // Given up, or the connection is another: asked again, for what is there already it is the same.
      if (outcome === undefined) {
        if (!how.waits && ++failures === LOCK_TRIES) return 'unavailable'
        await this.#later()
      }
      if (this.#attached === session && outcome === 'no-lease') this.#attached = undefined
    }
  }

  /** Others may have it, and see what was changed here before. While the server is away that is done later. */
  async unlock(range: LockRange): Promise<LockAnswer> {
    const isAll = range.from === 0 && range.to === END
    if (!this.#claims.letGo(toHex(range.file), toHex(range.owner), isAll)) return 'granted'
    try {
      return await this.#unlock(range)
    } catch {
      this.#pending.push(range)
      this.#keepRenewing()
      return 'granted'
    }
  }

  /** A lock that this one could not be beside. TIMED_OUT. */
  async test(wanted: LockRequest): Promise<HeldLock | undefined> {
    const session = await this.#ready()
    if (session === undefined) throw away()
    const { held } = await session.peer.request(session.channel, 'test', wanted, { timeoutMs: LOCK_ANSWER_MS })
    return held ?? undefined
  }

  close(): void {
    this.disconnected()
    this.#stopRenewing?.()
    this.#stopRenewing = undefined
    this.#waiters.rejectAll(away())
  }

  /** Undefined when it cannot be known. */
  async #ask(session: ChainSession, wanted: LockRequest, how: HowToLock): Promise<LockOutcome | undefined> {
    const { waits, detects, signal } = how
    const ticket = waits ? (this.#ticket = (this.#ticket % 0xffff_ffff) + 1) : 0
    const answered = this.#claims.asked(toHex(wanted.file), toHex(wanted.owner))
    this.#keepRenewing()
    const giveUp = (): void => this.#giveUp(session, ticket)
    signal?.addEventListener('abort', giveUp)
    try {
      const limit = waits ? {} : { timeoutMs: LOCK_ANSWER_MS }
      const request = { ...wanted, ticket, detects: waits && detects }
      const { outcome } = await session.peer.request(session.channel, 'lock', request, limit)
      answered(outcome === 'granted')
      if (outcome === 'granted') this.#held.granted(wanted)
      return outcome
    } catch {
      // It may have come there all the same.
      answered(undefined)
      return undefined
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** Then the lock is granted or given up; a server that says neither has lost the connection. */
  #giveUp(session: ChainSession, ticket: number): void {
    const timeoutMs = this.#patienceMs
    const asked = session.peer.request(session.channel, 'unwait', { ticket }, { timeoutMs })
    asked.catch((error: unknown) => this.#broken(session, error))
  }

  async #unlock(range: LockRange): Promise<LockAnswer> {
    await inTime(this.#timers, this.#patienceMs, this.#options.brought())
    const session = await this.#ready()
    if (session === undefined) throw away()
    const timeoutMs = LOCK_ANSWER_MS
    // Another one may have it before the answer is here.
    this.#held.letGo(range)
    const { outcome } = await session.peer.request(session.channel, 'unlock', range, { timeoutMs })
    if (outcome === 'no-lease') throw away()
    this.#held.letGo(range)
    return outcome === 'granted' ? 'granted' : 'unavailable'
  }

  #sendPending(): Promise<void> {
    this.#sending ??= this.#unlockPending().finally(() => (this.#sending = undefined))
    return this.#sending
  }

  async #unlockPending(): Promise<void> {
    for (let [range] = this.#pending; range !== undefined; [range] = this.#pending) {
      try {
        await this.#unlock(range)
      } catch {
        return
      }
      this.#pending = this.#pending.filter((each) => each !== range)
    }
  }

  /** Resolves with the connection on which the server knows us; with undefined when there is none in time. */
  async #ready(): Promise<ChainSession | undefined> {
    for (const until = performance.now() + this.#patienceMs; performance.now() <= until;) {
      try {
        if (this.#session === undefined) await this.#waiters.wait(this.#patienceMs, away)
      } catch {
        return undefined
      }
      const session = this.#session
      // Nobody asks while nothing is held: then it must be certain again before something is, and until it is asked next.
      const isFresh = this.#attached === session && this.#clock.isCertainFor(2 * this.#renewMs)
      if (session !== undefined && !isFresh) await this.#attachOnce(session).catch(() => undefined)
      if (session !== undefined && this.#attached === session && this.#clock.isCertain) return session
      // It was lost meanwhile.
      await this.#later()
    }
    return undefined
  }

  #later(): Promise<void> {
    return new Promise((resolve) => this.#timers.after(AGAIN_MS, resolve))
  }

  #attachOnce(session: ChainSession): Promise<void> {
    if (this.#attaching?.session === session) return this.#attaching.done
    const attaching = { session, done: this.#attach(session) }
    this.#attaching = attaching
    const end = (): void => {
      if (this.#attaching === attaching) this.#attaching = undefined
    }
    attaching.done.then(end, end)
    return attaching.done
  }

  async #attach(session: ChainSession): Promise<void> {
    const sent = this.#clock.now()
    let lease: Uint8Array
    try {
      const told = await session.lease(this.#name, this.#lease, this.#patienceMs)
      lease = told.isReturning ? await this.#reclaim(session) : told.lease
    } catch (error) {
      this.#broken(session, error)
      throw error
    }
    if (session !== this.#session) throw away()
    if (this.#lease !== null && !equalBytes(lease, this.#lease)) this.#lose()
    this.#lease = copyOf(lease)
    this.#clock.confirm(sent)
    this.#attached = session
    this.#isTold = false
    if (this.#pending.length > 0) void this.#sendPending()
  }

  /** To a server that was started again. Gives the lease: another one when it does not let them count. */
  async #reclaim(session: ChainSession): Promise<Uint8Array> {
    const [limit, before] = [{ timeoutMs: this.#patienceMs }, this.#lease]
    const locks = this.#held.all.slice(0, MAX_LOCKS + 1)
    if (before !== null && locks.length <= MAX_LOCKS) {
      const { outcome } = await session.peer.request(session.channel, 'reclaim', { locks }, limit)
      if (outcome === 'granted') return before
    }
    return (await session.lease(this.#name, null, this.#patienceMs)).lease
  }

  /** The server has not kept them: others may have had them. */
  #lose(): void {
    this.#pending = []
    this.#held.clear()
    this.#options.onLost(this.#claims.lose())
  }

  #broken(session: ChainSession, error: unknown): void {
    if (session === this.#session) void session.peer.close(isAteError(error) ? error : undefined)
  }

  /** While there is something to keep. */
  #keepRenewing(): void {
    if (this.#stopRenewing !== undefined) return
    this.#stopRenewing = this.#timers.after(this.#renewMs, () => {
      this.#stopRenewing = undefined
      if (!this.#claims.isAnyHeld && this.#pending.length === 0) return
      this.#keepRenewing()
      if (!this.#clock.isCertain && !this.#isTold) {
        this.#isTold = true
        this.#options.onLost(this.#claims.heldFiles())
      }
      if (this.#session !== undefined) this.#attachOnce(this.#session).catch(() => undefined)
    })
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function away(): AteError {
  return new AteError('TIMED_OUT', 'The server that keeps the locks does not answer.')
}
