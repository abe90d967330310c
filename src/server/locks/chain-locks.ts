/**
 * The locks of one chain while it is open. They live in memory; who has some stands in a small file beside the log. After a restart
 * those have a while to come back and tell what they had, and nobody else is given anything meanwhile.
 */
import { toHex } from '../../engine/bytes/hex.js'
import type { CryptoProvider } from '../../engine/crypto/provider.js'
import { AteError } from '../../engine/error.js'
import { LEASE_BYTES } from '../../sync/limits.js'
import type { LockOutcome, LockRequest } from '../../sync/index.js'
import type { Timers } from '../../wire/index.js'
import type { ChainStore } from '../chain-stores.js'
import { LOCKS_NAME } from '../file-names.js'
import { type LeaseOfSession, loadLeases, saveLeases } from './lease-file.js'
import { LockTable } from './lock-table.js'

/** While the storage fails. */
const RETRY_MS = 1000

export interface ChainLocksOptions {
  readonly store: Pick<ChainStore, 'storage'>
  readonly crypto: CryptoProvider
  readonly timers: Timers
  readonly limits: { readonly graceMs: number }
}

export class ChainLocks {
  readonly table: LockTable
  readonly #options: ChainLocksOptions
  /** Those of before a restart are back, or over. */
  readonly #grace: Promise<void>
  #isInGrace: boolean
  /** The file tells who they are. */
  readonly #isKnown: boolean
  /** Leases that the file has. */
  #saved: ReadonlySet<string>
  #endGrace: () => void = () => undefined
  #stopTimer: () => void = () => undefined
  #isClosed = false
  /** Resolves when what was written last is there. */
  #writing: Promise<void> = Promise.resolve()
  /** One that will say how everything is by then. */
  #queued: Promise<void> | undefined

  private constructor(options: ChainLocksOptions, before: readonly LeaseOfSession[] | undefined) {
    const { timers, limits, crypto } = options
    this.#options = options
    this.table = new LockTable({
      timers,
      graceMs: limits.graceMs,
      newLease: () => crypto.randomBytes(LEASE_BYTES),
      struck: () => this.#saveInTheEnd(),
    })
    this.table.expect(before ?? [])
    this.#saved = new Set((before ?? []).map(({ lease }) => toHex(lease)))
    this.#isInGrace = before !== undefined
    this.#isKnown = this.table.isExpecting
    this.#grace = new Promise((resolve) => {
      this.#endGrace = () => {
        this.#isInGrace = false
        this.#stopTimer()
        resolve()
      }
    })
    if (this.#isInGrace) this.#stopTimer = timers.after(limits.graceMs, () => this.#expectNobody())
    else this.#endGrace()
  }

  static async open(options: ChainLocksOptions): Promise<ChainLocks> {
    return new ChainLocks(options, await loadLeases(options.store.storage))
  }

  /**
   * Resolves with true when the session of that channel may be given locks, with false when too many have some; undefined when it
   * may. WRITE_FAILED, or what else the storage fails with.
   */
  begun(user: object): Promise<boolean> | undefined {
    if (this.#isInGrace) return this.#begin(user)
    const lease = this.table.list(user)
    return lease !== undefined && (lease === '' || this.#saved.has(lease)) ? undefined : this.#begin(user)
  }

  /** As that of the table. `isReturning`: it is to tell what it had before the restart. */
  attach(user: object, session: Uint8Array, before: Uint8Array | null): { lease: Uint8Array; isReturning: boolean } {
    const lease = this.table.attach(user, session, before)
    this.#endEarly()
    return { lease, isReturning: this.table.isReturning(user) }
  }

  /** What a session had before the restart, that has come back. `no-lease`: it has none of it any more. */
  reclaim(user: object, locks: readonly LockRequest[]): LockOutcome {
    const outcome = this.table.reclaim(user, locks)
    this.#endEarly()
    return outcome
  }

  /** Who has locks finds them again when the chain is opened again and he tells them; others get them only after a while. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer()
    this.table.close()
    await this.#writing.catch(() => undefined)
    const leases = this.table.leases({ isHolding: true })
    const { storage } = this.#options.store
    if (leases.length > 0 || this.table.isUsed) await saveLeases(storage, leases)
    else if (this.#saved.size > 0 || this.#isInGrace) await storage.remove(LOCKS_NAME)
  }

  async #begin(user: object): Promise<boolean> {
    await this.#grace
    const lease = this.table.list(user)
    if (lease === undefined) return false
    if (lease !== '' && !this.#saved.has(lease)) await this.#save()
    return true
  }

  /** All who had locks are back. */
  #endEarly(): void {
    if (this.#isInGrace && this.#isKnown && !this.table.isExpecting) this.#endGrace()
  }

  #expectNobody(): void {
    this.table.expectNobody()
    void this.#saveInTheEnd().then(this.#endGrace)
  }

  /** The file says who has a lease by then. */
  #save(): Promise<void> {
    this.#queued ??= this.#writing
      .catch(() => undefined)
      .then(async () => {
        this.#queued = undefined
        if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The chain is closed.')
        const leases = this.table.leases({ isHolding: false })
        await saveLeases(this.#options.store.storage, leases)
        this.#saved = new Set(leases.map(({ lease }) => toHex(lease)))
      })
    this.#writing = this.#queued
    return this.#queued
  }

  /** Never, while the storage fails: then nobody is given what somebody else may come back for. */
  async #saveInTheEnd(): Promise<void> {
    for (;;) {
      try {
        await this.#save()
        return
      } catch {
        if (this.#isClosed) return await new Promise<never>(() => undefined)
        await new Promise<void>((resolve) => this.#options.timers.after(RETRY_MS, resolve))
      }
    }
  }
}
