/** A chain that only takes in what comes from elsewhere. */
import type { ChainHandle } from '../adapters/node/chain-handle.js'
import type { BatchReceiver } from '../adapters/node/import-range.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { Chain } from '../engine/dio/chain.js'
import type { Hooks } from '../engine/dio/hooks/hooks.js'
import { AteError } from '../engine/error.js'

export function receiverOf(handle: ChainHandle, hooks?: Hooks<Chain>): BatchReceiver {
  const { view, trust } = handle
  const compact = (): Promise<never> => Promise.reject(new AteError('NOT_SUPPORTED', 'The chain takes in an export.'))
  const parts = { view, trust, crypto: nativeCrypto, nowMs: Date.now, durability: 'local' as const }
  return new Chain({ name: 'import', ...parts, hooks, compact, onClose: () => handle.close() })
}
