/** Rotation and export of a chain in memory, which has no files to back up. */
import type { ChainKeeping, ExportOptions } from '../engine/chain/chain-keeping.js'
import type { MemoryChain } from '../engine/chain/memory-chain.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { AteError } from '../engine/error.js'
import { exportRange } from '../engine/log/index.js'

export function keepingInMemory(crypto: CryptoProvider, { view, storage, keys }: MemoryChain): ChainKeeping {
  return {
    rotate: () => view.rotate(),
    backup: () => Promise.reject(new AteError('NOT_SUPPORTED', 'A chain in memory has no backup.')),
    exportRange: ({ from = 1, to }: ExportOptions = {}) => {
      const source = { storage, crypto, keys }
      return exportRange(source, { from, to, key: undefined, end: () => view.durableEnd() })
    },
  }
}
