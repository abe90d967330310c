/**
 * Locks on ranges of the files of one chain, held by the sessions of its clients. The server knows neither files nor owners, only
 * names of them, which say nothing. A session whose connection is lost keeps its locks for a while. After a restart those that had
 * some may come back and tell them.
 */
import { copyOf } from '../../engine/bytes/copy.js'
import { fromHex, toHex } from '../../engine/bytes/hex.js'
import type { HeldLock, LockOutcome, LockRange, LockRequest } from '../../sync/index.js'
import { MAX_LOCKS } from '../../sync/limits.js'
import type { Timers } from '../../wire/index.js'
import { LockWaits, type Wait } from './lock-waits.js'
import { type RangeLock, RangeLocks } from '../../sync/range-locks.js'
import { type LeaseOfSession, MAX_LEASES } from './lease-file.js'

/** Of one session, at once. */
export const MAX_LOCK_WAITS = 100

export interface LockTableOptions {
  readonly timers: Timers
  /** How long the locks of a lost connection are kept. */
  readonly graceMs: number
  /** 16 random bytes. */
  readonly newLease: () => Uint8Array
  /** Resolves when a session that has ended cannot come back, whatever happens to the server: only then others have its locks. */
  readonly struck?: () => Promise<void>
}

/** A client, over as many connections as it takes. */
interface LockSession {
  readonly name: Uint8Array
  /** The lease in hexadecimal. All names of its owners begin with it. */
  readonly key: string
  /** 16 bytes: another one after its locks were lost. */
  readonly lease: Uint8Array
  /** It has had locks, or asks for some: it is among those who may come back. */
  isListed: boolean
  /** It had locks before the server was started, and has not told which. */
  isReturning: boolean
  /** Locks of all its owners. */
  count: number
  /** The connection that it is on. */
  user: object | undefined
  stopTimer: () => void
}

export interface Waiting {
  /** By which it can be given up; no two of a session at once. */
  readonly ticket: number
  /** Fails where two would wait for each other. */
  readonly detects: boolean
}

export class LockTable {
  readonly #options: LockTableOptions
  readonly #sessions = new Map<string, LockSession>()
  readonly #byUser = new Map<object, LockSession>()
  readonly #files = new Map<string, RangeLocks>()
  readonly #waits = new LockWaits<LockSession>()

  constructor(options: LockTableOptions) {
    this.#options = options
  }

  /** True while anybody has a lock, a lost session included. */
  get isUsed(): boolean {
    return this.#files.size > 0
  }

  /** Those who may come back and tell what they had. */
  expect(leases: readonly LeaseOfSession[]): void {
    for (const { session, lease } of leases)
      Object.assign(this.#newSession(session, lease), { isListed: true, isReturning: true })
  }

  /** Somebody who had locks has not told them. */
  get isExpecting(): boolean {
    for (const { isReturning } of this.#sessions.values()) if (isReturning) return true
    return false
  }

  /** Who has not told what he had has lost it. */
  expectNobody(): void {
    for (const session of this.#sessions.values()) if (session.isReturning) this.#end(session)
  }

  /** Who would come back after a restart. `isHolding`: only those who have locks, or had. */
  leases({ isHolding }: { isHolding: boolean }): LeaseOfSession[] {
    return [...this.#sessions.values()]
      .filter(({ isListed, isReturning, count }) => isListed && (!isHolding || isReturning || count > 0))
      .map(({ name, lease }) => ({ session: name, lease }))
  }

  /** From now on the session is among those who would come back. Gives its lease; undefined when there is no room for another. */
  list(user: object): string | undefined {
    const session = this.#byUser.get(user)
    if (session === undefined) return ''
    if (!session.isListed && this.leases({ isHolding: false }).length >= MAX_LEASES) return undefined
    session.isListed = true
    return session.key
  }

  /** It has come back, and is to tell what it had. */
  isReturning(user: object): boolean {
    return this.#byUser.get(user)?.isReturning === true
  }

  /** What a session had that has come back: all of it, or it has lost everything. */
  reclaim(user: object, locks: readonly LockRequest[]): LockOutcome {
    const session = this.#byUser.get(user)
    if (session?.isReturning !== true) return 'no-lease'
    session.isReturning = false
    for (const wish of locks) {
      const outcome = this.lock(user, wish)
      if (outcome === 'granted') continue
      this.#end(session)
      return 'no-lease'
    }
    return 'granted'
  }

  /** The session is on this connection, and on no other. Gives its lease: another one than it had when it has no lock any more. */
  attach(user: object, name: Uint8Array, lease: Uint8Array | null): Uint8Array {
    let session = this.#sessions.get(toHex(name))
    if (session !== undefined && (lease === null || session.key !== toHex(lease))) {
      this.#end(session)
      session = undefined
    }
    session ??= this.#newSession(name, this.#options.newLease())
    if (session.user !== user) {
      this.#waits.giveUp(session)
      if (session.user !== undefined) this.#byUser.delete(session.user)
      // A connection has one session.
      this.leave(user, true)
    }
    session.stopTimer()
    session.user = user
    this.#byUser.set(user, session)
    return session.lease
  }

  /** The connection is gone, or was left for good. */
  leave(user: object, isForGood: boolean): void {
    const session = this.#byUser.get(user)
    if (session === undefined) return
    this.#byUser.delete(user)
    session.user = undefined
    this.#waits.giveUp(session)
    if (session.isReturning && !isForGood) return
    if (isForGood || session.count === 0) this.#end(session)
    else session.stopTimer = this.#options.timers.after(this.#options.graceMs, () => this.#end(session))
  }

  /** A promise while others have it: only with `waiting`. */
  lock(user: object, wish: LockRequest, waiting?: Waiting): LockOutcome | Promise<LockOutcome> {
    const session = this.#byUser.get(user)
    if (session === undefined) return 'no-lease'
    if (session.count >= MAX_LOCKS) return 'too-many'
    const file = toHex(wish.file)
    const wanted = wantedBy(session, wish)
    if (this.#blockers({ file, wanted }).length === 0) {
      this.#change(file, session, (locks) => locks.set(wanted))
      return 'granted'
    }
    if (waiting === undefined) return 'held'
    if (this.#waits.countOf(session) >= MAX_LOCK_WAITS) return 'too-many'
    return new Promise((settle) => {
      const wait: Wait<LockSession> = { session, file, wanted, ...waiting, settle }
      if (waiting.detects && this.#waits.wouldDeadlock(wait, (each) => this.#blockers(each))) settle('deadlock')
      else this.#waits.add(wait)
    })
  }

  /** `granted` when the owner has nothing there any more. */
  unlock(user: object, { file, owner, from, to }: LockRange): LockOutcome {
    const session = this.#byUser.get(user)
    if (session === undefined) return 'no-lease'
    if (session.count >= 2 * MAX_LOCKS && (from > 0 || to < Number.MAX_SAFE_INTEGER)) return 'too-many'
    this.#change(toHex(file), session, (locks) => locks.clear(ownerOf(session, owner), { from, to }))
    return 'granted'
  }

  /** The first lock that it could not be beside; `isOwn`: of the same session. */
  test(user: object, wish: LockRequest): HeldLock | undefined {
    const session = this.#byUser.get(user)
    const locks = this.#files.get(toHex(wish.file))
    if (session === undefined || locks === undefined) return undefined
    const [first] = locks.conflicts(wantedBy(session, wish)).sort((a, b) => a.from - b.from)
    if (first === undefined) return undefined
    const { owner, from, to, isExclusive } = first
    return {
      owner: fromHex(owner.slice(session.key.length)),
      from,
      to,
      isExclusive,
      isOwn: owner.startsWith(session.key),
    }
  }

  /** Nobody waits for that any more. */
  giveUp(user: object, ticket: number): void {
    const session = this.#byUser.get(user)
    if (session !== undefined) this.#waits.giveUp(session, ticket)
  }

  close(): void {
    for (const { stopTimer } of this.#sessions.values()) stopTimer()
    this.#waits.giveUpAll()
  }

  #newSession(name: Uint8Array, lease: Uint8Array): LockSession {
    const session: LockSession = {
      name: copyOf(name),
      key: toHex(lease),
      lease: copyOf(lease),
      isListed: false,
      isReturning: false,
      count: 0,
      user: undefined,
      stopTimer: () => undefined,
    }
    this.#sessions.set(toHex(name), session)
    return session
  }

  /** It is over, and has no lock any more as soon as it cannot come back. */
  #end(session: LockSession): void {
    session.stopTimer()
    this.#waits.giveUp(session)
    this.#sessions.delete(toHex(session.name))
    if (session.user !== undefined) this.#byUser.delete(session.user)
    const { struck } = this.#options
    if (session.isListed && struck !== undefined) void struck().then(() => this.#free(session))
    else this.#free(session)
  }

  #free(session: LockSession): void {
    if (session.count === 0) return
    for (const file of [...this.#files.keys()])
      this.#change(file, session, (locks) => locks.clearAll((owner) => owner.startsWith(session.key)))
  }

  #blockers({ file, wanted }: Pick<Wait<LockSession>, 'file' | 'wanted'>): string[] {
    const conflicts = this.#files.get(file)?.conflicts(wanted) ?? []
    return conflicts.map(({ owner }) => owner)
  }

  /** What a session has on a file changes: others may have what they wait for, and what those give back for it too. */
  #change(file: string, session: LockSession, change: (locks: RangeLocks) => void): void {
    this.#apply(file, session, change)
    while (this.#waits.grant(file, (wait) => this.#take(file, wait.session, wait.wanted)));
  }

  #take(file: string, session: LockSession, wanted: RangeLock): boolean {
    const locks = this.#files.get(file)
    if (locks !== undefined && locks.conflicts(wanted).length > 0) return false
    this.#apply(file, session, (all) => all.set(wanted))
    return true
  }

  #apply(file: string, session: LockSession, change: (locks: RangeLocks) => void): void {
    const locks = this.#files.get(file) ?? new RangeLocks()
    const before = locks.all.length
    change(locks)
    session.count += locks.all.length - before
    if (locks.all.length === 0) this.#files.delete(file)
    else this.#files.set(file, locks)
  }
}

function ownerOf(session: LockSession, owner: Uint8Array): string {
  return session.key + toHex(owner)
}

function wantedBy(session: LockSession, { owner, from, to, isExclusive }: LockRequest): RangeLock {
  return { owner: ownerOf(session, owner), from, to, isExclusive }
}
