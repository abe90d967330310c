/** What a chain holds, opened to be changed: whoever puts its records can also move them when it is compacted. */
import type { ChainHandle } from '../adapters/node/chain-handle.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { Chain } from '../engine/dio/chain.js'
import { holdsFileSystem } from '../fs/vfs/check/check.js'
import type { ChainFileSystem } from '../fs/vfs/file-system.js'
import { openFileSystem } from '../fs/vfs/open.js'

export type OpenContents = { kind: 'files'; files: ChainFileSystem } | { kind: 'objects'; objects: Chain }

/** Closes the chain too, with everything durable. */
export async function withContents<T>(
  handle: ChainHandle,
  name: string,
  onWarning: (message: string) => void,
  work: (contents: OpenContents) => Promise<T>,
): Promise<T> {
  try {
    if (!holdsFileSystem(handle.view)) return await withObjects(handle, name, work)
    const { keys, view } = handle
    const files = await openFileSystem({ view, options: { nameKey: keys.nameKey, onWarning } })
    try {
      return await work({ kind: 'files', files })
    } finally {
      await files.close()
    }
  } finally {
    await handle.close()
  }
}

async function withObjects<T>(
  handle: ChainHandle,
  name: string,
  work: (contents: OpenContents) => Promise<T>,
): Promise<T> {
  const { view, trust } = handle
  await using objects = new Chain({
    name,
    view,
    trust,
    crypto: nativeCrypto,
    nowMs: Date.now,
    durability: 'local',
    compact: () => handle.compact(),
    keeping: handle,
    onClose: async () => {},
  })
  return await work({ kind: 'objects', objects })
}
