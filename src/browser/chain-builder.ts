/** Opens chains for programs in a browser: in memory. */
import { checkChainName } from '../engine/chain/chain-name.js'
import { openMemoryChain } from '../engine/chain/memory-chain.js'
import { nobleProvider } from '../engine/crypto/noble-provider.js'
import { Chain } from '../engine/dio/chain.js'
import { judgeBatch } from '../engine/dio/judging/judge-batch.js'
import { findReferences } from '../engine/dio/references.js'
import { Hooks } from '../engine/dio/hooks/hooks.js'
import type { Plugin } from '../engine/dio/plugin.js'
import { AteError } from '../engine/error.js'
import type { AteConfig, AteConfigOptions } from '../library/config.js'
import { keepingInMemory } from '../library/memory-keeping.js'
import { withPlugins } from '../library/with-plugins.js'
import { withRootKeys } from '../library/with-root-keys.js'

/** What needs a disk, or the network. */
const NOT_HERE = [
  'logPath',
  'anchorPath',
  'passphrase',
  'noCreate',
  'readOnly',
  'ntp',
  'compactMode',
  'compactTimerMs',
  'compactThresholdFactor',
  'compactThresholdBytes',
  'compactBootstrap',
  'compactCleanup',
] as const satisfies (keyof AteConfigOptions)[]

/** Opens chains as a configuration says. */
export class ChainBuilder {
  readonly #config: AteConfig
  readonly #plugins: readonly Plugin[]

  constructor(config: AteConfig, plugins: readonly Plugin[] = []) {
    this.#config = config
    this.#plugins = plugins
  }

  get #options(): Readonly<AteConfigOptions> {
    return this.#config.options
  }

  /** This builder, for chains with these plugins too, behind those it has. */
  use(...plugins: readonly Plugin[]): ChainBuilder {
    return new ChainBuilder(this.#config, [...this.#plugins, ...plugins])
  }

  /**
   * Opens a new chain in memory. BAD_ARGUMENT for an impossible name, NOT_SUPPORTED for options that need a disk or the
   * network.
   */
  async open(name: string): Promise<Chain> {
    checkChainName(name)
    for (const option of NOT_HERE)
      if (this.#options[option] !== undefined && this.#options[option] !== false)
        throw new AteError('NOT_SUPPORTED', `A browser has no disk and no time servers: ${option} cannot be had.`)
    const { trust = 'local', clockToleranceMs, rootKeys, keyBits, compactors, bodyCacheBytes } = this.#options
    const crypto = nobleProvider
    const hooks = new Hooks(this.#plugins)
    const memory = await openMemoryChain({
      crypto,
      trust,
      keyBits,
      judge: judgeBatch,
      findReferences,
      bodyCache: { bytes: bodyCacheBytes, keepsWhole: true },
    })
    const compact = () => memory.view.compact()
    const onClose = () => memory.close()
    const keeping = keepingInMemory(crypto, memory)
    const parts = { view: memory.view, crypto, nowMs: Date.now, clockToleranceMs, durability: 'memory', trust } as const
    const chain = new Chain({ name, ...parts, hooks, compact, compactors, keeping, onClose })
    return withPlugins(await withRootKeys(chain, rootKeys))
  }
}
