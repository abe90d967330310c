/** Chains of a server below one directory: each in the directory of its name. Whoever makes it sees that no other process does. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST_NAME, SPARE_NAME } from '../../engine/log/format/segment-name.js'
import type { LogStorage } from '../../engine/log/storage.js'
import { AteError } from '../../engine/error.js'
import type { ChainStore, ChainStores } from '../../server/chain-stores.js'
import { SERVED_FILES } from '../../server/file-names.js'
import { AnchorFile } from './anchor-file.js'
import { LOCK_NAME } from './chain-lock.js'
import { fileError } from './file-error.js'
import { FileStorage } from './file-storage.js'
import { makeDirectory } from './make-directory.js'

const ANCHOR_NAME = 'anchor'
/** Files of a chain, and what may lie beside them for a moment: a chain below another must not be named so. */
const FILES: ReadonlySet<string> = new Set([MANIFEST_NAME, SPARE_NAME, ANCHOR_NAME, LOCK_NAME, ...SERVED_FILES])

export class ServerStores implements ChainStores {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async list(): Promise<string[]> {
    const names: string[] = []
    if (!existsSync(this.#directory)) return names
    const visit = (parts: readonly string[]): void => {
      const entries = readdirSync(join(this.#directory, ...parts), { withFileTypes: true })
      if (parts.length > 0 && entries.some((entry) => entry.isFile() && entry.name === MANIFEST_NAME))
        names.push(parts.join('/'))
      for (const entry of entries) if (entry.isDirectory()) visit([...parts, entry.name])
    }
    try {
      visit([])
    } catch (error) {
      throw fileError('list', 'the directory of chains', error)
    }
    return names.sort()
  }

  async open(chain: string): Promise<ChainStore | undefined> {
    const path = this.#path(chain)
    return isDirectory(path) ? storeIn(path) : undefined
  }

  async look(chain: string): Promise<LogStorage | undefined> {
    const path = this.#path(chain)
    return isDirectory(path) ? new FileStorage(path) : undefined
  }

  async create(chain: string): Promise<ChainStore> {
    const path = this.#path(chain)
    try {
      makeDirectory(path, 0o700)
    } catch (error) {
      throw fileError('make', 'the directory of the chain', error)
    }
    return storeIn(path)
  }

  #path(chain: string): string {
    const parts = chain.split('/')
    const taken = parts.find((part) => FILES.has(part) || /\.(seg|new|copy)$/.test(part))
    if (taken !== undefined) throw new AteError('BAD_ARGUMENT', `A chain of a server cannot be named ${taken}.`)
    return join(this.#directory, ...parts)
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function storeIn(path: string): ChainStore {
  return { storage: new FileStorage(path), anchor: new AnchorFile(join(path, ANCHOR_NAME)) }
}
