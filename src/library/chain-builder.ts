/** Opens chains for programs: in a directory, or in memory. */
import { join, resolve } from 'node:path'
import type { ChainHandle, CreateChainOptions } from '../adapters/node/chain-handle.js'
import { collectGarbage } from '../adapters/node/collect-garbage.js'
import type { CompactableChain } from '../adapters/node/compaction-schedule.js'
import { holeBytes } from '../adapters/node/hole-bytes.js'
import { examineChainDirectory } from '../adapters/node/chain-presence.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { createChain, openChain } from '../adapters/node/open-chain.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { demandWanted } from '../adapters/node/wanted.js'
import type { BodyCacheOptions } from '../engine/chain/body-reader.js'
import { openMemoryChain } from '../engine/chain/memory-chain.js'
import { checkChainName } from '../engine/chain/chain-name.js'
import type { ChainKeeping } from '../engine/chain/chain-keeping.js'
import type { CompactionReport } from '../engine/chain/compaction/compactor.js'
import type { WriterStatus } from '../engine/chain/committer.js'
import { Chain } from '../engine/dio/chain.js'
import { findReferences } from '../engine/dio/references.js'
import type { Durability } from '../engine/dio/commit-options.js'
import { judgeBatch } from '../engine/dio/judging/judge-batch.js'
import { AteError } from '../engine/error.js'
import { Hooks } from '../engine/dio/hooks/hooks.js'
import type { Plugin } from '../engine/dio/hooks/plugin.js'
import { type ChainClock, chainClock, doubtAbout } from './chain-clock.js'
import { closingOnFailure } from './closing-on-failure.js'
import { compactionPlan, Compactions } from './compactions.js'
import type { AteConfig, AteConfigOptions } from './config.js'
import { JUDGE_MODULE } from './judge-module.js'
import { keepingInMemory } from './memory-keeping.js'
import type { OpenOptions } from './open-options.js'
import { tellRefused } from './refused.js'
import { secretFor } from './secret.js'
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
    checkChainName(name)
    demandWanted(options.signal)
    const { logPath, rootKeys } = this.#config.options
    const chain =
      logPath === undefined
        ? await this.#openInMemory(name)
        : await this.#openDirectory(name, resolve(logPath, name), options)
    return withPlugins(await withRootKeys(chain, rootKeys), options.signal)
  }

  async #openInMemory(name: string): Promise<Chain> {
    const { trust = 'local', keyBits } = this.#options
    const hooks = new Hooks(this.#plugins)
    const memory = await openMemoryChain({
      crypto: nativeCrypto,
      trust,
      keyBits,
      judge: judgeBatch,
      findReferences,
      collectGarbage,
      bodyCache: bodyCacheOf(this.#options),
    })
    const { view } = memory
    const status = (): WriterStatus => view.writerStatus
    const opened = { view, trust, status, compact: () => view.compact(), close: () => memory.close() }
    return chainOn(name, { ...opened, ...keepingInMemory(nativeCrypto, memory) }, 'memory', this.#options, hooks)
  }

  async #openDirectory(name: string, directory: string, opening: OpenOptions): Promise<Chain> {
    const hooks = new Hooks(this.#plugins)
    const handle = await this.#openHandle(name, directory, opening)
    return chainOn(name, handle, 'local', this.#options, hooks, holeBytes(directory))
  }

  async #openHandle(name: string, directory: string, opening: OpenOptions): Promise<ChainHandle> {
    const { readOnly = false, noCreate = false, keyBits = DEFAULT_KEY_BITS, onNotice = ignore, trust } = this.#options
    const { anchorPath } = this.#options
    const presence = examineChainDirectory(directory)
    if (presence === 'absent' && (noCreate || readOnly))
      throw new AteError('CHAIN_NOT_FOUND', `There is no chain ${name} in ${join(directory, '..')}.`)
    const options: CreateChainOptions = {
      directory,
      secret: secretFor(this.#options, presence === 'key-file'),
      anchorDirectory: anchorPath === undefined ? standardPaths(process.env).anchors : resolve(anchorPath),
      readOnly,
      bodyCache: bodyCacheOf(this.#options),
      allowDamage: false,
      acceptRollback: false,
      keyBits,
      trust,
      referencesModule: REFERENCES_MODULE,
      judgeModule: JUDGE_MODULE,
      onRefused: (refused) => tellRefused(this.#options, refused),
      signal: opening.signal,
      onProgress: opening.onProgress ?? ignore,
      onNotice,
    }
    const handle = await (presence === 'absent' ? createChain(options) : openChain(options))
    if (trust === undefined || trust === handle.trust) return handle
    return closingOnFailure(handle, () => {
      throw new AteError('NOT_AUTHORIZED', `The trust of the chain ${name} is ${handle.trust}, not ${trust}.`)
    })
  }
}

/** What a compaction drops of a chain of distributed trust would be refused by the others. */
function uncompacted(options: Readonly<AteConfigOptions>): Readonly<AteConfigOptions> {
  return { ...options, compactMode: 'never', compactBootstrap: false, compactCleanup: false }
}

type OpenedChain = CompactableChain & ChainKeeping & Pick<ChainHandle, 'view' | 'trust' | 'close'>

/** Where it fails, nothing stays open of the chain. */
function chainOn(
  name: string,
  opened: OpenedChain,
  durability: Durability,
  options: Readonly<AteConfigOptions>,
  hooks: Hooks,
  holeBytes = 0,
): Promise<Chain> {
  const clock = chainClock(options)
  const close = (): Promise<void> => {
    clock.stop()
    return opened.close()
  }
  return closingOnFailure({ close }, () => chainWith(clock, name, opened, durability, options, hooks, holeBytes))
}

/** Its compactions begin last: nothing fails behind them. */
function chainWith(
  clock: ChainClock,
  name: string,
  opened: OpenedChain,
  durability: Durability,
  options: Readonly<AteConfigOptions>,
  hooks: Hooks,
  holeBytes: number,
): Chain {
  const { view, trust } = opened
  const { nowMs, toleranceMs: clockToleranceMs } = clock
  const compact = (): Promise<CompactionReport> => opened.compact()
  const onClose = async (): Promise<void> => {
    clock.stop()
    await compactions.end()
    await opened.close()
  }
  const { compactors } = options
  const parts = { view, crypto: nativeCrypto, nowMs, clockToleranceMs, durability, trust, compact, compactors, onClose }
  const chain = new Chain({ name, ...parts, hooks, keeping: opened })
  const doubt = doubtAbout(name, chain.latestMs, clock)
  if (doubt !== undefined) options.onNotice?.(doubt)
  const plan = trust === 'distributed' ? uncompacted(options) : options
  const compactions = new Compactions(opened, () => chain.compact(), holeBytes, plan)
  return chain
}

/** Nobody but the chain keeps what objects hold. */
function bodyCacheOf({ bodyCacheBytes }: Readonly<AteConfigOptions>): BodyCacheOptions {
  return { bytes: bodyCacheBytes, keepsWhole: true }
}

function ignore(): void {
  // Nobody asked to be told.
}
