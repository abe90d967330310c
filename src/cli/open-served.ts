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
import type { RemoteRequest } from '../fs/daemon/remote-request.js'
import { holdsFileSystem } from '../fs/vfs/check/check.js'
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

/** A chain of a server, where its copy lies, and what opens it. Whoever has it wipes the secret. */
export interface ServedPlace {
  readonly name: string
  readonly presence: ChainLocation['presence']
  readonly directory: string
  readonly secret: ChainSecret
  readonly remote: RemoteRequest
}

/** Asks for the passphrase. CHAIN_NOT_FOUND, and why the server cannot be reached. */
export async function servedPlace(url: string, flags: ServedFlags): Promise<ServedPlace> {
  const address = parseChainUrl(url)
  const { opensWith: presence } = await describeServedChain(url, flags)
  const paths = standardPaths(process.env)
  const directory = replicaDirectory(resolve(flags['log-path'] ?? paths.chains), address)
  const secret = await readSecret(presence, flags, address.chain)
  const remote = remoteRequest(address, { ...flags, 'recovery-mode': 'sync', 'no-create': true }, paths.logs)
  return { name: address.chain, presence, directory, secret, remote }
}

/**
 * Everything that the server has is here when it resolves. The caller closes it. CHAIN_NOT_FOUND, and why the server cannot be
 * reached; else as `openForCommand`.
 */
export async function openServed(url: string, flags: ServedFlags, opening: CommandOpening): Promise<OpenedCopy> {
  const place = await servedPlace(url, flags)
  const { name, presence, secret } = place
  const openCopy = async (directory: string): Promise<OpenedCopy> => {
    await fetchServed({ ...place, directory }, opening)
    const handle = await openWith(secret, { directory, anchorDirectory: undefined }, opening)
    return { location: { name, directory, presence }, handle, close: () => handle.close() }
  }
  try {
    return await openCopy(place.directory)
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

/** Brings the copy up to date, or makes it. Says whether it holds files. */
export async function fetchServed(place: ServedPlace, opening: CommandOpening): Promise<boolean> {
  const copy = await mountServed(place, opening, { onlyFetches: true })
  const { trust, view } = copy.chain
  const isOfFiles = holdsFileSystem(view)
  await copy.close()
  // It was taken in without judging it, and is marked as such: whoever opens the copy next judges all of it.
  if (trust === 'distributed') rmSync(join(place.directory, 'index'), { recursive: true, force: true })
  return isOfFiles
}

/** The copy, open and followed. CHAIN_LOCKED. */
export async function mountServed(
  { remote, directory, secret }: ServedPlace,
  { onProgress, onNotice }: CommandOpening,
  { onlyFetches }: { onlyFetches: boolean },
): Promise<RemoteMount> {
  const isServed = !onlyFetches
  const at = (path: string, opening: ChainSecret, readOnly: boolean): Promise<ChainHandle> =>
    openWith(opening, { directory: path, anchorDirectory: undefined, isServed }, { readOnly, onProgress, onNotice })
  const openChain = (opening: ChainSecret): Promise<ChainHandle> => at(directory, opening, false)
  const openAt = (path: string, opening: ChainSecret): Promise<ChainHandle> => at(path, opening, true)
  const events = { onProgress, onNotice }
  const wanted = { remote, directory, secret, keyBits: KEY_BITS, openChain, openAt, ...events, onlyFetches } as const
  const { runtime } = standardPaths(process.env)
  return await openWhenFree(() => RemoteMount.open(wanted), { directory, runtimeDirectory: runtime, onNotice })
}
