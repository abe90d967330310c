/** The chains of a server: opened when somebody asks for them, closed when nobody has used them for a while. */
import { AteError, errorCode } from '../engine/error.js'
import { failure, type ListedChain, type TrustMode } from '../sync/index.js'
import { HostedChain, type HostedOptions } from './hosted-chain.js'
import type { ChainStore, ChainStores } from './chain-stores.js'
import { type ChainFacts, createRelayLog, peekRelayLog } from './relay-log.js'
import { saveWriter } from './writer-file.js'
import type { PublicKey } from '../wire/index.js'
import { KEYRING_NAME } from './file-names.js'

/** What an answer to `list` takes at most, and one chain in it besides its name. */
const MAX_LISTED_BYTES = 256 * 1024
const LISTED_BYTES = 64
const UNKNOWN_END = { sequence: 0, bytes: 0 }

export interface ChainHostOptions extends Omit<HostedOptions, 'name' | 'store' | 'onFailed'> {
  readonly stores: ChainStores
  readonly trust: TrustMode
}

export interface NewChain extends ChainFacts {
  readonly keyring: Uint8Array | null
  /** Of those who may have the turn. */
  readonly writer: PublicKey
}

interface Entry {
  readonly opening: Promise<HostedChain>
  chain: HostedChain | undefined
  /** Those who have it or are about to. */
  users: number
  stopIdle: () => void
}

export class ChainHost {
  readonly #options: ChainHostOptions
  readonly #entries = new Map<string, Entry>()
  /** Chains that are being made or closed: whoever wants one waits. */
  readonly #busy = new Map<string, Promise<void>>()
  #isClosed = false

  constructor(options: ChainHostOptions) {
    this.#options = options
  }

  get openChains(): number {
    return this.#entries.size
  }

  /** CHAIN_NOT_FOUND, BAD_ARGUMENT for a chain of another trust, what `openLog` throws. To be given back with `letGo`. */
  async take(name: string): Promise<HostedChain> {
    for (let busy = this.#busy.get(name); busy !== undefined; busy = this.#busy.get(name)) await busy
    if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The server is stopping.')
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      entry = { opening: this.#open(name), chain: undefined, users: 0, stopIdle: () => undefined }
      this.#entries.set(name, entry)
    }
    entry.stopIdle()
    entry.users++
    try {
      entry.chain = await entry.opening
      return entry.chain
    } catch (error) {
      if (this.#entries.get(name) === entry) this.#entries.delete(name)
      throw error
    }
  }

  /** Nobody is told of it any more; it closes in a while if nobody else takes it. */
  letGo(chain: HostedChain): void {
    const entry = this.#entries.get(chain.name)
    if (entry === undefined || entry.chain !== chain || --entry.users > 0) return
    const close = (): void => void this.#closeEntry(chain.name, entry).catch(() => undefined)
    entry.stopIdle = this.#options.timers.after(this.#options.limits.idleMs, close)
  }

  /** It cannot go on: whoever asks next opens it anew. */
  #discard(chain: HostedChain): void {
    const entry = this.#entries.get(chain.name)
    if (entry?.chain === chain) void this.#closeEntry(chain.name, entry).catch(() => undefined)
  }

  /** CHAIN_EXISTS, BAD_ARGUMENT for another trust than that of this server. */
  async create(name: string, { keyring, writer, ...facts }: NewChain): Promise<void> {
    for (let busy = this.#busy.get(name); busy !== undefined; busy = this.#busy.get(name)) await busy
    if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The server is stopping.')
    this.#demandTrust(facts.trust)
    const { stores, health } = this.#options
    await this.#whileBusy(name, async () => {
      const store = await health.watch(name, stores.create(name))
      const { storage } = store
      try {
        if ((await storage.list()).includes('manifest'))
          throw new AteError('CHAIN_EXISTS', `There is a chain ${name} already.`)
        await health.watch(name, this.#write(store, { keyring, writer, ...facts }))
      } finally {
        store.anchor.close()
      }
    })
  }

  async #write(store: ChainStore, { keyring, writer, ...facts }: NewChain): Promise<void> {
    const { storage } = store
    if (keyring === null) await storage.remove(KEYRING_NAME)
    else await storage.replaceSmall(KEYRING_NAME, keyring)
    await storage.remove('turn')
    await saveWriter(storage, writer)
    // The last: what was left before it is no chain.
    await createRelayLog(this.#options, store, facts)
  }

  /** Behind a name, in their order. */
  async list(after: string, prefix: string, most: number): Promise<{ chains: ListedChain[]; more: boolean }> {
    const names = (await this.#options.stores.list()).filter((name) => name.startsWith(prefix) && name > prefix + after)
    const chains: ListedChain[] = []
    let bytes = 0
    for (const name of names.slice(0, most)) {
      bytes += LISTED_BYTES + 3 * name.length
      if (bytes > MAX_LISTED_BYTES) break
      chains.push({ chain: name.slice(prefix.length), ...(await this.#endOf(name)) })
    }
    return { chains, more: names.length > chains.length }
  }

  /** Closes all chains, durable. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(Array.from(this.#entries, ([name, entry]) => this.#closeEntry(name, entry)))
    await Promise.all(this.#busy.values())
  }

  /** Everything that was brought is durable, and whoever follows is told the signed heads. */
  async signAll(): Promise<void> {
    const open = Array.from(this.#entries.values(), async ({ chain }) => chain?.settle())
    await Promise.allSettled(open)
  }

  async #open(name: string): Promise<HostedChain> {
    const store = await this.#options.stores.open(name)
    if (store === undefined) throw this.#notFound(name)
    try {
      const chain = await HostedChain.open({
        ...this.#options,
        name,
        store,
        onFailed: (failed) => this.#discard(failed),
      })
      try {
        this.#demandTrust(chain.facts.trust)
        return chain
      } catch (error) {
        await chain.close()
        throw error
      }
    } catch (error) {
      if (errorCode(error) === 'NOT_A_CHAIN') throw this.#notFound(name)
      throw error
    }
  }

  /** Of a chain that cannot be read only that it is there is told. */
  async #endOf(name: string): Promise<{ sequence: number; bytes: number }> {
    const open = this.#entries.get(name)?.chain
    if (open !== undefined) return { sequence: open.durableSequence, bytes: open.sizeBytes }
    try {
      const storage = await this.#options.stores.look(name)
      return storage === undefined ? UNKNOWN_END : await peekRelayLog(this.#options, storage)
    } catch {
      return UNKNOWN_END
    }
  }

  #demandTrust(trust: TrustMode): void {
    if (trust !== this.#options.trust)
      throw new AteError('BAD_ARGUMENT', `The chains of this server are of ${this.#options.trust} trust, not ${trust}.`)
  }

  #notFound(name: string): AteError {
    return failure('CHAIN_NOT_FOUND', `There is no chain ${name}.`, { trust: this.#options.trust })
  }

  async #closeEntry(name: string, entry: Entry): Promise<void> {
    if (this.#entries.get(name) !== entry) return
    entry.stopIdle()
    this.#entries.delete(name)
    await this.#whileBusy(name, async () => {
      const chain = await entry.opening
      await chain.close()
    })
  }

  async #whileBusy(name: string, work: () => Promise<void>): Promise<void> {
    const working = work()
    const busy = working.catch(() => undefined)
    this.#busy.set(name, busy)
    try {
      await working
    } finally {
      if (this.#busy.get(name) === busy) this.#busy.delete(name)
    }
  }
}
