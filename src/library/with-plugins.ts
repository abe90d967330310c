/** What every chain gets when it is opened. */
import { demandWanted } from '../adapters/node/wanted.js'
import type { Chain } from '../engine/dio/chain.js'

/** The chain with its plugins open; closed again where one fails: HOOK_FAILED, TIMED_OUT, ABORTED. */
export async function withPlugins(chain: Chain, signal?: AbortSignal): Promise<Chain> {
  try {
    demandWanted(signal)
    await chain.openPlugins(signal)
    return chain
  } catch (error) {
    await chain.close()
    throw error
  }
}
