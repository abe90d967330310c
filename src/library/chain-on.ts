/** The chain of a program, made on what is open of it. */
import type { ChainHandle } from '../adapters/node/chain-handle.js'
import type { CompactableChain } from '../adapters/node/compaction-schedule.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import type { ChainKeeping } from '../engine/chain/chain-keeping.js'
import { Chain } from '../engine/dio/chain.js'
import type { Durability } from '../engine/dio/commit-options.js'
import type { Hooks } from '../engine/dio/hooks/hooks.js'
import type { SharedBy } from '../engine/dio/shared-by.js'
import { type ChainClock, chainClock, doubtAbout } from './chain-clock.js'
import { closingOnFailure } from './closing-on-failure.js'
import { type CompactionTurn, Compactions } from './compactions.js'
import type { AteConfigOptions } from './config.js'

export type OpenedChain = CompactableChain & ChainKeeping & Pick<ChainHandle, 'view' | 'trust' | 'close'>

/** What commits can survive, and who else changes the chain. */
export interface Keeping {
  readonly durability: Durability
  readonly shared?: SharedBy | undefined
  /** The chain is compacted by itself from `ready` on, whenever it is for this program to do so. */
  readonly compacting?: CompactionTurn | undefined
}

/** Where it fails, nothing stays open of the chain. */
export function chainOn(
  name: string,
  opened: OpenedChain,
  keeping: Keeping,
  options: Readonly<AteConfigOptions>,
  hooks: Hooks<Chain>,
  holeBytes = 0,
): Promise<Chain> {
  const clock = chainClock(options)
  const close = (): Promise<void> => {
    clock.stop()
    return opened.close()
  }
  return closingOnFailure({ close }, () => chainWith(clock, name, opened, keeping, options, hooks, holeBytes))
}

/** Its compactions begin last: nothing fails behind them. */
function chainWith(
  clock: ChainClock,
  name: string,
  opened: OpenedChain,
  keeping: Keeping,
  options: Readonly<AteConfigOptions>,
  hooks: Hooks<Chain>,
  holeBytes: number,
): Chain {
  const { view, trust } = opened
  const { nowMs, toleranceMs: clockToleranceMs } = clock
  const onClose = async (): Promise<void> => {
    clock.stop()
    await compactions.end()
    await opened.close()
  }
  const { compactors } = options
  const { durability, shared } = keeping
  const clocks = { nowMs, clockToleranceMs }
  const parts = { view, crypto: nativeCrypto, ...clocks, trust, compactors, onClose, durability, shared }
  const chain = new Chain({ name, ...parts, compact: () => opened.compact(), hooks, keeping: opened })
  const doubt = doubtAbout(name, chain.latestMs, clock)
  if (doubt !== undefined) options.onNotice?.(doubt)
  const compactions = new Compactions(opened, () => chain.compact(), holeBytes, options, keeping.compacting)
  return chain
}
