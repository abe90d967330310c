/**
 * A file system on a chain in memory that can be closed and opened again, in order or as after a crash: everything of ours
 * but the disk and the kernel.
 */
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain, type MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { OrderedStore } from '../../../src/engine/index/ordered-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import type { LogStorage } from '../../../src/engine/log/storage.js'
import type { ChainFileSystem } from '../../../src/fs/vfs/file-system.js'
import { openFileSystem } from '../../../src/fs/vfs/open.js'
import type { FileSystemOptions } from '../../../src/fs/vfs/options.js'
import { CutStorage } from './cut-storage.js'

type VaultOptions = Omit<FileSystemOptions, 'nameKey'>

/** In order; killed after a sync; killed after a sync and the index lost. */
export type Reopening = 'close' | 'crash' | 'rebuild'

export class MemoryVault {
  readonly #options: VaultOptions
  readonly #medium: LogStorage
  #storage: CutStorage
  #chain: MemoryChain
  #fs: ChainFileSystem

  private constructor(
    options: VaultOptions,
    medium: LogStorage,
    storage: CutStorage,
    chain: MemoryChain,
    fs: ChainFileSystem,
  ) {
    this.#options = options
    this.#medium = medium
    this.#storage = storage
    this.#chain = chain
    this.#fs = fs
  }

  static async open(options: VaultOptions): Promise<MemoryVault> {
    const medium = new MemoryStorage()
    const storage = new CutStorage(medium)
    const chain = await openMemoryChain({ crypto: nativeCrypto, storage })
    return new MemoryVault(options, medium, storage, chain, await fileSystemOn(chain, storage, options))
  }

  get fileSystem(): ChainFileSystem {
    return this.#fs
  }

  /** Closes and opens again: `fileSystem` of before is of no use after. */
  async reopen(how: Reopening = 'close'): Promise<void> {
    let { store } = this.#chain
    if (how !== 'close') {
      await this.#fs.sync()
      // What is open goes on writing, to where nobody will read.
      this.#storage.isCut = true
      store = how === 'crash' ? copyOfStore(store) : new MemoryStore()
    }
    // The end of what was killed may fail as it likes.
    await this.close().catch((error: unknown) => {
      if (how === 'close') throw error
    })
    this.#storage = new CutStorage(this.#medium)
    const { keys } = this.#chain
    this.#chain = await openMemoryChain({ crypto: nativeCrypto, keys, storage: this.#storage, store })
    this.#fs = await fileSystemOn(this.#chain, this.#storage, this.#options)
  }

  async close(): Promise<void> {
    await this.#fs.close()
    await this.#chain.close()
  }
}

function fileSystemOn(
  { view, keys }: MemoryChain,
  storage: CutStorage,
  options: VaultOptions,
): Promise<ChainFileSystem> {
  const onWarning = (message: string): void => {
    if (!storage.isCut) options.onWarning(message)
  }
  return openFileSystem({ view, options: { ...options, nameKey: keys.nameKey, onWarning } })
}

function copyOfStore(store: OrderedStore): OrderedStore {
  const copy = new MemoryStore()
  for (let key = store.after(new Uint8Array()); key !== undefined; key = store.after(key)) {
    copy.write([{ key, value: store.get(key) ?? null }])
  }
  return copy
}
