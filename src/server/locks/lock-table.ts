/**
 * Locks on ranges of the files of one chain, held by the sessions of its clients. The server knows neither files nor owners, only
 * names of them, which say nothing. A session whose connection is lost keeps its locks for a while.
 */
import { fromHex, toHex } from '../../engine/bytes/hex.js'
import type { HeldLock, LockOutcome, LockRange, LockRequest } from '../../sync/index.js'
import type { Timers } from '../../wire/index.js'
import { LockWaits, type Wait } from './lock-waits.js'
import { type RangeLock, RangeLocks } from './range-locks.js'

/** Of one session. Taking a piece out of one makes two. */
export const MAX_LOCKS = 4096
/** Of one session, at once. */
export const MAX_LOCK_WAITS = 100

export interface LockTableOptions {
  readonly timers: Timers
  /** How long the locks of a lost connection are kept. */
  readonly graceMs: number
  /** 16 random bytes. */
  readonly newLease: () => Uint8Array
}

/** A client, over as many connections as it takes. */
interface LockSession {
  /** All names of its owners begin with it. */
  readonly key: string
  /** 16 bytes: another one after its locks were lost. */
  readonly lease: Uint8Array
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

  /** The session is on this connection, and on no other. Gives its lease: another one than it had when it has no lock any more. */
  attach(user: object, name: Uint8Array, lease: Uint8Array | null): Uint8Array {
    const key = toHex(name)
    let session = this.#sessions.get(key)
    if (session !== undefined && (lease === null || toHex(session.lease) !== toHex(lease))) {
      this.#end(session)
      session = undefined
    }
    session ??= this.#newSession(key)
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

  #newSession(key: string): LockSession {
    const session: LockSession = {
      key,
      lease: this.#options.newLease(),
      count: 0,
      user: undefined,
      stopTimer: () => undefined,
    }
    this.#sessions.set(key, session)
    return session
  }

  /** Nothing of it is left. */
  #end(session: LockSession): void {
    session.stopTimer()
    this.#waits.giveUp(session)
    this.#sessions.delete(session.key)
    if (session.user !== undefined) this.#byUser.delete(session.user)
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
