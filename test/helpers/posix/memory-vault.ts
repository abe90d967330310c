/**
 * A file system on a chain in memory that can be closed and opened again: everything of ours but the disk and the kernel.
 * A warning is a failure of the test.
 */
import { type Test } from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain, type MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import type { ChainFileSystem } from '../../../src/fs/vfs/file-system.js'
import { openFileSystem } from '../../../src/fs/vfs/open.js'
import { VfsClient } from './vfs-client.js'

export class MemoryVault {
  readonly #t: Test
  #chain: MemoryChain
  #fs: ChainFileSystem

  private constructor(t: Test, chain: MemoryChain, fs: ChainFileSystem) {
    this.#t = t
    this.#chain = chain
    this.#fs = fs
  }

  static async open(t: Test): Promise<MemoryVault> {
    const chain = await openMemoryChain({ crypto: nativeCrypto })
    const vault = new MemoryVault(t, chain, await fileSystemOn(t, chain))
    t.teardown(() => vault.close())
    return vault
  }

  /** A client with nothing open yet. */
  client(): VfsClient {
    return new VfsClient(this.#fs)
  }

  async sync(): Promise<void> {
    await this.#fs.sync()
  }

  /** Unmounts and mounts again: clients of before are of no use after. */
  async reopen(): Promise<void> {
    await this.close()
    const { keys, storage, store } = this.#chain
    this.#chain = await openMemoryChain({ crypto: nativeCrypto, keys, storage, store })
    this.#fs = await fileSystemOn(this.#t, this.#chain)
  }

  async close(): Promise<void> {
    await this.#fs.close()
    await this.#chain.close()
  }
}

function fileSystemOn(t: Test, { view, keys }: MemoryChain): Promise<ChainFileSystem> {
  const options = { nameKey: keys.nameKey, onWarning: (message: string) => void t.fail(message) }
  return openFileSystem({ view, options })
}
