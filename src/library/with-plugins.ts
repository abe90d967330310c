/** What every chain gets when it is opened. */
import type { Chain } from '../engine/dio/chain.js'
import { closingOnFailure } from './closing-on-failure.js'

/** The chain with its plugins open; closed again where one fails: HOOK_FAILED, TIMED_OUT, ABORTED. */
export function withPlugins(chain: Chain, signal?: AbortSignal): Promise<Chain> {
  return closingOnFailure(chain, async () => {
    await chain.openPlugins(signal)
    return chain
  })
}
