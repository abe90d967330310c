/**
 * A file system on a chain in memory that can be closed and opened again: everything of ours but the disk and the kernel.
 */
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain, type MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import type { ChainFileSystem } from '../../../src/fs/vfs/file-system.js'
import { openFileSystem } from '../../../src/fs/vfs/open.js'

export class MemoryVault {
  readonly #onWarning: (message: string) => void
  #chain: MemoryChain
  #fs: ChainFileSystem

  private constructor(onWarning: (message: string) => void, chain: MemoryChain, fs: ChainFileSystem) {
    this.#onWarning = onWarning
    this.#chain = chain
    this.#fs = fs
  }

  static async open(onWarning: (message: string) => void): Promise<MemoryVault> {
    const chain = await openMemoryChain({ crypto: nativeCrypto })
    return new MemoryVault(onWarning, chain, await fileSystemOn(chain, onWarning))
  }

  get fileSystem(): ChainFileSystem {
    return this.#fs
  }

  /** Closes and opens again: `fileSystem` of before is of no use after. */
  async reopen(): Promise<void> {
    await this.close()
    const { keys, storage, store } = this.#chain
    this.#chain = await openMemoryChain({ crypto: nativeCrypto, keys, storage, store })
    this.#fs = await fileSystemOn(this.#chain, this.#onWarning)
  }

  async close(): Promise<void> {
    await this.#fs.close()
    await this.#chain.close()
  }
}

function fileSystemOn({ view, keys }: MemoryChain, onWarning: (message: string) => void): Promise<ChainFileSystem> {
  return openFileSystem({ view, options: { nameKey: keys.nameKey, onWarning } })
}
