/**
 * The locks of one chain while it is open. They live in memory; that there are any stands in a small file beside the log, so that
 * after a restart nobody is given what others believe to have still.
 */
import type { CryptoProvider } from '../../engine/crypto/provider.js'
import { LEASE_BYTES } from '../../sync/limits.js'
import type { Timers } from '../../wire/index.js'
import type { ChainStore } from '../chain-stores.js'
import { LockTable } from './lock-table.js'
import { LOCKS_NAME } from '../file-names.js'

const MAX_BYTES = 16

export interface ChainLocksOptions {
  readonly store: Pick<ChainStore, 'storage'>
  readonly crypto: CryptoProvider
  readonly timers: Timers
  readonly limits: { readonly graceMs: number }
}

export class ChainLocks {
  readonly table: LockTable
  readonly #options: ChainLocksOptions
  /** Those of before a restart are over. */
  readonly #grace: Promise<void>
  #stopGrace: () => void = () => undefined
  #isMarked: boolean
  #marking: Promise<void> | undefined
  #isInGrace: boolean

  private constructor(options: ChainLocksOptions, isMarked: boolean) {
    const { timers, limits, crypto } = options
    this.#options = options
    this.#isMarked = this.#isInGrace = isMarked
    this.table = new LockTable({ timers, graceMs: limits.graceMs, newLease: () => crypto.randomBytes(LEASE_BYTES) })
    this.#grace = new Promise((resolve) => {
      const end = (): void => {
        this.#isInGrace = false
        resolve()
      }
      if (isMarked) this.#stopGrace = timers.after(limits.graceMs, end)
      else end()
    })
  }

  static async open(options: ChainLocksOptions): Promise<ChainLocks> {
    return new ChainLocks(options, (await options.store.storage.readSmall(LOCKS_NAME, MAX_BYTES)) !== undefined)
  }

  /** Resolves when locks may be given; undefined when they may. WRITE_FAILED, or what else the storage fails with. */
  begun(): Promise<void> | undefined {
    if (this.#isMarked && !this.#isInGrace) return undefined
    return this.#begin()
  }

  /** Whoever has one finds it gone when the chain is opened again, and others only after a while that it is free. */
  async close(): Promise<void> {
    this.#stopGrace()
    this.table.close()
    await this.#marking?.catch(() => undefined)
    if (this.#isMarked && !this.#isInGrace && !this.table.isUsed) await this.#options.store.storage.remove(LOCKS_NAME)
  }

  async #begin(): Promise<void> {
    await this.#grace
    if (this.#isMarked) return
    this.#marking ??= this.#options.store.storage.replaceSmall(LOCKS_NAME, new Uint8Array([1]))
    try {
      await this.#marking
      this.#isMarked = true
    } finally {
      this.#marking = undefined
    }
  }
}
