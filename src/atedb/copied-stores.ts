/**
 * Chains whose directories are copied to another place: a minute after they were changed, as far as they go by then, and whole when
 * they are closed. One that is opened meanwhile does not wait.
 */
import { join } from 'node:path'
import { errorCode } from '../engine/error.js'
import type { LogStorage } from '../engine/log/storage.js'
import type { ChainStore, ChainStores } from '../server/index.js'
import { copyChain } from './copy-chain.js'
import type { Log } from './log.js'

/** What was accepted so long ago is in the copy, or is being copied. */
const DELAY_MS = 60_000

interface Copying {
  readonly giveUp: AbortController
  readonly ended: Promise<void>
}

export class CopiedStores implements ChainStores {
  readonly #stores: ChainStores
  readonly #from: string
  readonly #to: string
  readonly #log: Log
  readonly #delayMs: number
  readonly #copying = new Map<string, Copying>()
  /** Of chains that were changed since they were copied. */
  readonly #timers = new Map<string, NodeJS.Timeout>()

  /** `stores` has its chains in `from`. */
  constructor(stores: ChainStores, from: string, to: string, log: Log, delayMs = DELAY_MS) {
    this.#stores = stores
    this.#from = from
    this.#to = to
    this.#log = log
    this.#delayMs = delayMs
  }

  list(): Promise<string[]> {
    return this.#stores.list()
  }

  async open(chain: string): Promise<ChainStore | undefined> {
    const isDue = await this.#stop(chain)
    const store = await this.#stores.open(chain)
    if (isDue && store !== undefined) this.#copySoon(chain)
    return store && this.#watched(chain, store)
  }

  look(chain: string): Promise<LogStorage | undefined> {
    return this.#stores.look(chain)
  }

  async create(chain: string): Promise<ChainStore> {
    const isDue = await this.#stop(chain)
    const store = await this.#stores.create(chain)
    if (isDue) this.#copySoon(chain)
    return this.#watched(chain, store)
  }

  /** Resolves when all that is under way has been copied. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#copying.values(), ({ ended }) => ended))
  }

  /** What it has not copied the next one does: true when there may be something. */
  async #stop(chain: string): Promise<boolean> {
    const isDue = this.#timers.has(chain) || this.#copying.has(chain)
    clearTimeout(this.#timers.get(chain))
    this.#timers.delete(chain)
    const copying = this.#copying.get(chain)
    copying?.giveUp.abort()
    await copying?.ended
    return isDue
  }

  /** The anchor is written whenever more is durable, and is the last that a chain closes. */
  #watched(chain: string, { storage, anchor }: ChainStore): ChainStore {
    return {
      storage,
      anchor: {
        read: () => anchor.read(),
        write: (content) => {
          anchor.write(content)
          this.#copySoon(chain)
        },
        sync: () => anchor.sync(),
        close: () => {
          anchor.close()
          this.#copy(chain)
        },
      },
    }
  }

  #copySoon(chain: string): void {
    if (this.#timers.has(chain)) return
    const begin = (): void => {
      this.#timers.delete(chain)
      // One that takes so long goes on; the next change begins another.
      if (!this.#copying.has(chain)) this.#copy(chain)
      else this.#copySoon(chain)
    }
    this.#timers.set(chain, setTimeout(begin, this.#delayMs).unref())
  }

  #copy(chain: string): void {
    const before = this.#stop(chain)
    const giveUp = new AbortController()
    const copy = async (): Promise<void> => {
      await before
      try {
        const bytes = await copyChain(join(this.#from, chain), join(this.#to, chain), giveUp.signal)
        this.#log.debug('copied', { chain, bytes })
      } catch (error) {
        const code = errorCode(error)
        if (code === 'ABORTED' || code === 'NOT_A_CHAIN') return
        this.#log.error('a chain could not be copied to the backup path', { chain, code, reason: String(error) })
      }
    }
    const ended = copy().finally(() => {
      if (this.#copying.get(chain)?.ended === ended) this.#copying.delete(chain)
    })
    this.#copying.set(chain, { giveUp, ended })
  }
}
