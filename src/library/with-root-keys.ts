/** What every chain gets when it is opened. */
import type { Chain } from '../engine/dio/chain.js'
import { closingOnFailure } from './closing-on-failure.js'
import type { KeyId, WriteKey } from '../engine/trust/keys.js'

/** The chain with its root keys; closed again where it has others: NOT_AUTHORIZED. */
export async function withRootKeys(chain: Chain, keys: readonly (KeyId | WriteKey)[] | undefined): Promise<Chain> {
  if (keys === undefined) return chain
  return closingOnFailure(chain, async () => {
    await chain.pinRootKeys(keys.map((key) => (typeof key === 'string' ? key : key.id)))
    return chain
  })
}
