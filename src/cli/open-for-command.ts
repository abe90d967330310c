/** A chain that is opened for one command, files or objects, and closed after it. Mounted ones are refused (CHAIN_LOCKED). */
import type { ChainHandle, ChainSecret, OpenProgress } from '../adapters/node/chain-handle.js'
import { openChain } from '../adapters/node/open-chain.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { openWhenFree } from '../fs/daemon/lock-wait.js'
import type { ChainLocation } from './chain-argument.js'
import { type PassphraseSources, readSecret, wipeSecret } from './passphrase.js'
import { JUDGE_MODULE } from '../fs/daemon/judge-module.js'

export interface CommandOpening {
  /** Nothing is changed; others may read at the same time. */
  readOnly: boolean
  onProgress: (progress: OpenProgress) => void
  onNotice: (message: string) => void
}

const REFERENCES_MODULE = new URL('references.js', import.meta.url).href

/** Asks for the passphrase. The caller closes the chain. Fails as `openChain` and `readPassphrase`. */
export async function openForCommand(
  { name, directory, presence }: ChainLocation,
  sources: PassphraseSources,
  { readOnly, onProgress, onNotice }: CommandOpening,
): Promise<ChainHandle> {
  const { anchors } = standardPaths(process.env)
  const secret = await readSecret(presence, sources, name)
  try {
    return await openWith(secret, { directory, anchorDirectory: anchors }, { readOnly, onProgress, onNotice })
  } finally {
    wipeSecret(secret)
  }
}

/** The copy of a chain of a server has no anchor: the server may cut it back. */
export async function openWith(
  secret: ChainSecret,
  {
    directory,
    anchorDirectory,
    isServed,
  }: { directory: string; anchorDirectory: string | undefined; isServed?: boolean | undefined },
  { readOnly, onProgress, onNotice }: CommandOpening,
): Promise<ChainHandle> {
  const { runtime } = standardPaths(process.env)
  const open = (): Promise<ChainHandle> =>
    openChain({
      directory,
      secret,
      anchorDirectory,
      isServed,
      readOnly,
      allowDamage: false,
      acceptRollback: false,
      referencesModule: REFERENCES_MODULE,
      judgeModule: JUDGE_MODULE,
      onRefused: ({ sequence, error }) => onNotice(`batch ${sequence} is refused: ${error.message}`),
      onProgress,
      onNotice,
    })
  return await openWhenFree(open, { directory, runtimeDirectory: runtime, onNotice })
}
