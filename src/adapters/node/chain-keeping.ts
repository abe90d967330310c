/** Rotation, backup and export of an open chain in a directory. */
import type { BackupOptions, ChainKeeping, ExportOptions } from '../../engine/chain/chain-keeping.js'
import type { ChainView } from '../../engine/chain/chain-view.js'
import { AteError } from '../../engine/error.js'
import { MAX_KEYRING_BYTES } from '../../engine/limits.js'
import { type BatchSource, type ExportedKey, exportRange } from '../../engine/log/index.js'
import { backupDirectory } from './backup-chain.js'
import { KEYRING_FILE, PLAIN_KEY_FILE } from './chain-secret.js'

interface DirectoryChain extends BatchSource {
  directory: string
  view: ChainView
}

export function keepingOf({ directory, view, ...source }: DirectoryChain): ChainKeeping {
  return {
    rotate: () => view.rotate(),
    backup: (to: string, options: BackupOptions = {}) =>
      view.keepSegments(async () => {
        await view.rotate()
        return await backupDirectory(directory, to, options)
      }),
    exportRange: async function* ({ from = 1, to, withKey }: ExportOptions = {}) {
      const key = await keyFor(source, from === 1, withKey)
      yield* exportRange(source, { from, to, key, end: () => view.durableEnd() })
    },
  }
}

/** What opens the chain, where the export is to bring it. */
async function keyFor(
  { storage }: BatchSource,
  isFromStart: boolean,
  withKey: boolean | undefined,
): Promise<ExportedKey | undefined> {
  if (!(withKey ?? isFromStart)) return undefined
  const keyring = await storage.readSmall(KEYRING_FILE, MAX_KEYRING_BYTES)
  if (keyring !== undefined) return { kind: 'keyring', bytes: keyring }
  const key = await storage.readSmall(PLAIN_KEY_FILE, MAX_KEYRING_BYTES)
  if (key === undefined) return undefined
  if (withKey === undefined)
    throw new AteError(
      'BAD_ARGUMENT',
      'This chain has no passphrase: with its key, whoever has the export can read it.',
      {
        hint: 'Say withKey: true to bring the key, or false to keep it elsewhere.',
      },
    )
  return { kind: 'key', bytes: key }
}
