/** Opens chains for programs: in a directory, or in memory. */
import { join, resolve } from 'node:path'
import type { ChainHandle, ChainSecret, OpenChainOptions } from '../adapters/node/chain-handle.js'
import { collectGarbage } from '../adapters/node/collect-garbage.js'
import { holeBytes } from '../adapters/node/hole-bytes.js'
import { demandNoReplica } from '../adapters/node/demand-no-replica.js'
import { examineChainDirectory } from '../adapters/node/chain-presence.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { createChain, openChain } from '../adapters/node/open-chain.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { demandWanted } from '../adapters/node/wanted.js'
import type { BodyCacheOptions } from '../engine/chain/body-reader.js'
import { type MemoryChain, type MemoryChainOptions, openMemoryChain } from '../engine/chain/memory-chain.js'
import { checkChainName } from '../engine/chain/chain-name.js'
import type { WriterStatus } from '../engine/chain/committer.js'
import { fromHex } from '../engine/bytes/hex.js'
import type { Chain } from '../engine/dio/chain.js'
import { findReferences } from '../engine/dio/references.js'
import { judgeBatch } from '../engine/dio/judging/judge-batch.js'
import { AteError } from '../engine/error.js'
import { Hooks } from '../engine/dio/hooks/hooks.js'
import type { Plugin } from '../engine/dio/plugin.js'
import { chainOn, type OpenedChain } from './chain-on.js'
import { closingOnFailure } from './closing-on-failure.js'
import { compactionPlan } from './compactions.js'
import type { AteConfig, AteConfigOptions } from './config.js'
import { JUDGE_MODULE } from './judge-module.js'
import { keepingInMemory } from './memory-keeping.js'
import type { OpenOptions } from './open-options.js'
import { tellRefused } from './refused.js'
import { chainUrl, isAddress } from './replica-places.js'
import { secretFor } from './secret.js'
import { parseChainUrl } from '../wire/url.js'
import { withPlugins } from './with-plugins.js'
import { withRootKeys } from './with-root-keys.js'

const DEFAULT_KEY_BITS = 256

/** For the thread that compacts. */
const REFERENCES_MODULE = new URL('../engine/dio/references.js', import.meta.url).href

/** Opens chains as a configuration says. */
export class ChainBuilder {
  readonly #config: AteConfig
  readonly #plugins: readonly Plugin[]

  /** BAD_ARGUMENT for options that cannot be. */
  constructor(config: AteConfig, plugins: readonly Plugin[] = []) {
    this.#config = config
    this.#plugins = plugins
    compactionPlan(config.options)
  }

  get #options(): Readonly<AteConfigOptions> {
    return this.#config.options
  }

  /** This builder, for chains with these plugins too, behind those it has. */
  use(...plugins: readonly Plugin[]): ChainBuilder {
    return new ChainBuilder(this.#config, [...this.#plugins, ...plugins])
  }

  /**
   * Opens the chain of that name, made first when there is none. CHAIN_LOCKED while another program has it,
   * WRONG_PASSPHRASE, CHAIN_DAMAGED, CHAIN_ROLLED_BACK, CHAIN_NOT_FOUND (`noCreate`, `readOnly`), NOT_AUTHORIZED (other
   * root keys), ABORTED (by the signal).
   */
  async open(name: string, options: OpenOptions = {}): Promise<Chain> {
    demandWanted(options.signal)
    const chain = isAddress(name) ? await this.#openRemote(name, options) : await this.#openHere(name, options)
    return withPlugins(await withRootKeys(chain, this.#options.rootKeys), options.signal)
  }

  async #openHere(name: string, options: OpenOptions): Promise<Chain> {
    checkChainName(name)
    const { logPath } = this.#options
    if (logPath === undefined) return await this.#openInMemory(name)
    return await this.#openDirectory(name, resolve(logPath, name), options)
  }

  async #openRemote(url: string, opening: OpenOptions): Promise<Chain> {
    const address = parseChainUrl(url)
    const name = chainUrl(address)
    const hooks = new Hooks(this.#plugins)
    const options = this.#options
    // The client of servers is half of the library: loaded only for those who use it.
    const { openRemote } = await import('./open-remote.js')
    return await openRemote({
      address,
      options,
      opening,
      judgesContent: hooks.validators.length > 0,
      openDirectory: async (directory, secret) => {
        const handle = await openChain({ ...this.#chainOptions(directory, secret, opening, undefined), isServed: true })
        const { headSequence: sequence, headDigest } = handle.status()
        return { ...handle, head: { sequence, digest: fromHex(headDigest) } }
      },
      openMemory: async (storage, keys) => {
        const memory = await openMemoryChain({ ...this.#memoryOptions(), storage, keys, isServed: true })
        const { headSequence: sequence, headDigest: digest } = memory.view.writerStatus
        return {
          ...openedInMemory(memory),
          source: { storage, crypto: nativeCrypto, keys },
          head: { sequence, digest },
        }
      },
      chainOn: (opened, shared) => chainOn(name, opened, shared, options, hooks),
    })
  }

  async #openInMemory(name: string): Promise<Chain> {
    const { trust = 'local', keyBits } = this.#options
    const hooks = new Hooks(this.#plugins)
    const memory = await openMemoryChain({ ...this.#memoryOptions(), trust, keyBits })
    return chainOn(name, openedInMemory(memory), { durability: 'memory' }, this.#options, hooks)
  }

  async #openDirectory(name: string, directory: string, opening: OpenOptions): Promise<Chain> {
    const hooks = new Hooks(this.#plugins)
    if (this.#options.readOnly !== true) await demandNoReplica(directory)
    const handle = await this.#openHandle(name, directory, opening)
    return chainOn(name, handle, { durability: 'local' }, this.#options, hooks, holeBytes(directory))
  }

  async #openHandle(name: string, directory: string, opening: OpenOptions): Promise<ChainHandle> {
    const { readOnly = false, noCreate = false, keyBits = DEFAULT_KEY_BITS, trust } = this.#options
    const { anchorPath } = this.#options
    const presence = examineChainDirectory(directory)
    if (presence === 'absent' && (noCreate || readOnly))
      throw new AteError('CHAIN_NOT_FOUND', `There is no chain ${name} in ${join(directory, '..')}.`)
    const anchorDirectory = anchorPath === undefined ? standardPaths(process.env).anchors : resolve(anchorPath)
    const secret = secretFor(this.#options, presence === 'key-file')
    const options = { ...this.#chainOptions(directory, secret, opening, anchorDirectory), keyBits, trust }
    const handle = await (presence === 'absent' ? createChain(options) : openChain(options))
    if (trust === undefined || trust === handle.trust) return handle
    return closingOnFailure(handle, () => {
      throw new AteError('NOT_AUTHORIZED', `The trust of the chain ${name} is ${handle.trust}, not ${trust}.`)
    })
  }

  #chainOptions(
    directory: string,
    secret: ChainSecret,
    opening: OpenOptions,
    anchorDirectory: string | undefined,
  ): OpenChainOptions {
    const { readOnly = false, onNotice = ignore } = this.#options
    return {
      directory,
      secret,
      anchorDirectory,
      readOnly,
      bodyCache: bodyCacheOf(this.#options),
      allowDamage: false,
      acceptRollback: false,
      referencesModule: REFERENCES_MODULE,
      judgeModule: JUDGE_MODULE,
      onRefused: (refused) => tellRefused(this.#options, refused),
      signal: opening.signal,
      onProgress: opening.onProgress ?? ignore,
      onNotice,
    }
  }

  #memoryOptions(): MemoryChainOptions {
    const bodyCache = bodyCacheOf(this.#options)
    const onRefused: MemoryChainOptions['onRefused'] = (refused) => tellRefused(this.#options, refused)
    return { crypto: nativeCrypto, judge: judgeBatch, findReferences, collectGarbage, bodyCache, onRefused }
  }
}

function openedInMemory(memory: MemoryChain): OpenedChain {
  const { view, trust } = memory
  const status = (): WriterStatus => view.writerStatus
  const opened = { view, trust, status, compact: () => view.compact(), close: () => memory.close() }
  return { ...opened, ...keepingInMemory(nativeCrypto, memory) }
}

/** Nobody but the chain keeps what objects hold. */
function bodyCacheOf({ bodyCacheBytes }: Readonly<AteConfigOptions>): BodyCacheOptions {
  return { bytes: bodyCacheBytes, keepsWhole: true }
}

function ignore(): void {
  // Nobody asked to be told.
}
