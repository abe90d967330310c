/** The chains that a program has open, by their names: each is opened once, however many use it. */
import type { Chain } from '../engine/dio/chain.js'
import type { Dao, ForeignChains, ForeignReference } from '../engine/dio/dao.js'
import type { DataType } from '../engine/dio/data-type.js'
import type { Plugin } from '../engine/dio/plugin.js'
import { AteError } from '../engine/error.js'
import type { AteSession } from '../engine/trust/session.js'
import { checkChainName } from '../engine/chain/chain-name.js'
import { ChainBuilder } from './chain-builder.js'
import type { AteConfig } from './config.js'
import { chainUrl, isAddress } from './replica-places.js'
import { parseChainUrl } from '../wire/url.js'
import { KeptChain } from './kept-chain.js'

/** How a registry keeps its chains. */
export interface RegistryOptions {
  /** How long a chain on the disk stays open when nobody uses it. The default is a minute. */
  keepOpenMs?: number
  /** The plugins of the chain of that name, asked for whenever it is opened. Without it: none. */
  plugins?: (name: string) => readonly Plugin[]
}

/** A chain in use. When its last user is done it stays open for a while, and is closed then. */
export interface ChainUse extends Disposable {
  /** Open until `done`, at least. */
  readonly chain: Chain
  /** May be called again. */
  done(): void
}

const DEFAULT_KEEP_OPEN_MS = 60_000

/** The chains that a program has open, by their names: each is opened once, however many use it. */
export class Registry implements ForeignChains, AsyncDisposable {
  readonly #config: AteConfig
  readonly #keepOpenMs: number
  readonly #pluginsOf: (name: string) => readonly Plugin[]
  readonly #kept = new Map<string, KeptChain>()
  #isClosed = false

  constructor(config: AteConfig, { keepOpenMs = DEFAULT_KEEP_OPEN_MS, plugins = () => [] }: RegistryOptions = {}) {
    this.#config = config
    this.#pluginsOf = plugins
    // What is in memory is gone when it is closed.
    this.#keepOpenMs = config.options.logPath === undefined ? Infinity : keepOpenMs
  }

  /**
   * The chain of that name, made when there is none: one of this machine, or of a server when it is an address
   * (`ws://server:5000/db/mychain`; the name may come beside it). Errors as of `ChainBuilder.open`; CHAIN_CLOSED after `close`.
   */
  async open(name: string, inServer?: string): Promise<ChainUse> {
    if (inServer === undefined && !isAddress(name)) return this.#use(name, this.#config)
    return this.#use(chainUrl(parseChainUrl(name, inServer)), this.#config)
  }

  /** Loads what a reference leads to; no chain is made for it. See `DaoForeign.load`. */
  async load<D extends DataType>(
    { chain: name, key }: ForeignReference,
    type: D,
    { session }: { session?: AteSession | undefined } = {},
  ): Promise<Dao<D>> {
    const isInMemory = this.#config.options.logPath === undefined && !isAddress(name)
    if (isInMemory && this.#keptOf(name).isUnused)
      throw new AteError('CHAIN_NOT_FOUND', `This program has no chain ${name} open in memory.`)
    using use = await this.#use(name, this.#config.with({ noCreate: true }))
    return await use.chain.dio(session).load(type, key)
  }

  /** Closes all chains, also those in use. May be called again. */
  async close(): Promise<void> {
    this.#isClosed = true
    const closing = [...this.#kept.values()].map((kept) => kept.close())
    await Promise.allSettled(closing)
    await Promise.all(closing)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #use(name: string, config: AteConfig): Promise<ChainUse> {
    const kept = this.#keptOf(name)
    const open = (): Promise<Chain> => {
      if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The registry is closed.')
      return new ChainBuilder(config, this.#pluginsOf(name)).open(name)
    }
    let chain: Chain
    try {
      chain = await kept.take(open)
    } catch (error) {
      // Names come from objects, too: those of no chain are not kept.
      if (kept.isUnused) this.#kept.delete(name)
      throw error
    }
    let isDone = false
    const done = (): void => {
      if (!isDone) kept.giveBack()
      isDone = true
    }
    return { chain, done, [Symbol.dispose]: done }
  }

  #keptOf(name: string): KeptChain {
    if (!isAddress(name)) checkChainName(name)
    let kept = this.#kept.get(name)
    if (kept === undefined) {
      const onFailure = (error: unknown): void =>
        this.#config.options.onNotice?.(`The chain ${name} could not be closed: ${String(error)}`)
      kept = new KeptChain({ keepOpenMs: this.#keepOpenMs, onFailure })
      this.#kept.set(name, kept)
    }
    return kept
  }
}
