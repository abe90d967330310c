/** Chains whose directories are copied to another place whenever they are closed. One that is opened meanwhile does not wait. */
import { join } from 'node:path'
import { errorCode } from '../engine/error.js'
import type { LogStorage } from '../engine/log/storage.js'
import type { ChainStore, ChainStores } from '../server/index.js'
import { copyChain } from './copy-chain.js'
import type { Log } from './log.js'

interface Copying {
  readonly giveUp: AbortController
  readonly ended: Promise<void>
}

export class CopiedStores implements ChainStores {
  readonly #stores: ChainStores
  readonly #from: string
  readonly #to: string
  readonly #log: Log
  readonly #copying = new Map<string, Copying>()

  /** `stores` has its chains in `from`. */
  constructor(stores: ChainStores, from: string, to: string, log: Log) {
    this.#stores = stores
    this.#from = from
    this.#to = to
    this.#log = log
  }

  list(): Promise<string[]> {
    return this.#stores.list()
  }

  async open(chain: string): Promise<ChainStore | undefined> {
    await this.#stop(chain)
    const store = await this.#stores.open(chain)
    return store && this.#watched(chain, store)
  }

  look(chain: string): Promise<LogStorage | undefined> {
    return this.#stores.look(chain)
  }

  async create(chain: string): Promise<ChainStore> {
    await this.#stop(chain)
    return this.#watched(chain, await this.#stores.create(chain))
  }

  /** Resolves when all that is under way has been copied. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#copying.values(), ({ ended }) => ended))
  }

  /** The next closing copies it again, whole. */
  async #stop(chain: string): Promise<void> {
    const copying = this.#copying.get(chain)
    copying?.giveUp.abort()
    await copying?.ended
  }

  /** The anchor is the last that a chain closes. */
  #watched(chain: string, { storage, anchor }: ChainStore): ChainStore {
    return {
      storage,
      anchor: {
        read: () => anchor.read(),
        write: (content) => anchor.write(content),
        sync: () => anchor.sync(),
        close: () => {
          anchor.close()
          this.#copy(chain)
        },
      },
    }
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
