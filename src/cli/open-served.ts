/** A chain of a server, opened for one command: the copy of it below the log path is brought up to date, or made. */
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ChainHandle, ChainSecret } from '../adapters/node/chain-handle.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { openWhenFree } from '../fs/daemon/lock-wait.js'
import { RemoteMount } from '../fs/daemon/remote-mount.js'
import { replicaDirectory } from '../library/replica-places.js'
import { parseChainUrl } from '../wire/index.js'
import type { ChainLocation } from './chain-argument.js'
import { type CommandOpening, openWith } from './open-for-command.js'
import { type PassphraseSources, readSecret, wipeSecret } from './passphrase.js'
import { remoteRequest } from './remote-address.js'
import { describeServedChain, type ServerFlags } from './server-chains.js'

const KEY_BITS = 256

export interface ServedFlags extends ServerFlags, PassphraseSources {
  'log-path'?: string | undefined
}

export interface OpenedCopy {
  readonly location: ChainLocation
  readonly handle: ChainHandle
}

/**
 * Everything that the server has is here when it resolves. The caller closes the chain. CHAIN_NOT_FOUND, CHAIN_LOCKED while the copy
 * is mounted, and why the server cannot be reached; else as `openForCommand`.
 */
export async function openServed(url: string, flags: ServedFlags, opening: CommandOpening): Promise<OpenedCopy> {
  const address = parseChainUrl(url)
  const { opensWith: presence } = await describeServedChain(url, flags)
  const paths = standardPaths(process.env)
  const directory = replicaDirectory(resolve(flags['log-path'] ?? paths.chains), address)
  const secret = await readSecret(presence, flags, address.chain)
  const request = remoteRequest(address, { ...flags, 'recovery-mode': 'sync', 'no-create': true }, paths.logs)
  try {
    await fetch(request, { directory, secret }, opening)
    const handle = await openWith(secret, { directory, anchorDirectory: undefined }, opening)
    return { location: { name: address.chain, directory, presence }, handle }
  } finally {
    wipeSecret(secret)
  }
}

async function fetch(
  remote: ReturnType<typeof remoteRequest>,
  { directory, secret }: { directory: string; secret: ChainSecret },
  { onProgress, onNotice }: CommandOpening,
): Promise<void> {
  const at = (path: string, opening: ChainSecret, readOnly: boolean): Promise<ChainHandle> =>
    openWith(opening, { directory: path, anchorDirectory: undefined }, { readOnly, onProgress, onNotice })
  const openChain = (opening: ChainSecret): Promise<ChainHandle> => at(directory, opening, false)
  const openAt = (path: string, opening: ChainSecret): Promise<ChainHandle> => at(path, opening, true)
  const wanted = {
    remote,
    directory,
    secret,
    keyBits: KEY_BITS,
    openChain,
    openAt,
    onProgress,
    onNotice,
    onlyFetches: true,
  } as const
  const { runtime } = standardPaths(process.env)
  const copy = await openWhenFree(() => RemoteMount.open(wanted), { directory, runtimeDirectory: runtime, onNotice })
  const { trust } = copy.chain
  await copy.close()
  // It was taken in without judging it: whoever opens the copy next judges all of it.
  if (trust === 'distributed') rmSync(join(directory, 'index'), { recursive: true, force: true })
}
