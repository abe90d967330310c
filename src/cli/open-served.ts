/**
 * A chain of a server, opened for one command: the copy of it below the log path is brought up to date, or made. While that
 * is mounted, a copy for this command only is made.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ChainHandle, ChainSecret } from '../adapters/node/chain-handle.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { errorCode } from '../engine/error.js'
import { openWhenFree } from '../fs/daemon/lock-wait.js'
import { TEMPORARY_PREFIX } from '../fs/daemon/registry.js'
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
  /** Closes the chain. */
  close: () => Promise<void>
}

/**
 * Everything that the server has is here when it resolves. The caller closes it. CHAIN_NOT_FOUND, and why the server cannot be
 * reached; else as `openForCommand`.
 */
export async function openServed(url: string, flags: ServedFlags, opening: CommandOpening): Promise<OpenedCopy> {
  const address = parseChainUrl(url)
  const { opensWith: presence } = await describeServedChain(url, flags)
  const paths = standardPaths(process.env)
  const directory = replicaDirectory(resolve(flags['log-path'] ?? paths.chains), address)
  const secret = await readSecret(presence, flags, address.chain)
  const request = remoteRequest(address, { ...flags, 'recovery-mode': 'sync', 'no-create': true }, paths.logs)
  const openCopy = async (copy: string): Promise<OpenedCopy> => {
    await fetch(request, { directory: copy, secret }, opening)
    const handle = await openWith(secret, { directory: copy, anchorDirectory: undefined }, opening)
    return { location: { name: address.chain, directory: copy, presence }, handle, close: () => handle.close() }
  }
  try {
    return await openCopy(directory)
  } catch (error) {
    if (errorCode(error) !== 'CHAIN_LOCKED') throw error
    return await openForNow(openCopy)
  } finally {
    wipeSecret(secret)
  }
}

/** A copy that is gone when it is closed. */
async function openForNow(openCopy: (directory: string) => Promise<OpenedCopy>): Promise<OpenedCopy> {
  const temporary = mkdtempSync(join(tmpdir(), TEMPORARY_PREFIX))
  const remove = (): void => rmSync(temporary, { recursive: true, force: true })
  try {
    const copy = await openCopy(join(temporary, 'chain'))
    return { ...copy, close: () => copy.close().finally(remove) }
  } catch (error) {
    remove()
    throw error
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
