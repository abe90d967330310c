/** Opens a chain that a server keeps: a copy of it, in a directory or in memory, that follows the server. */
import type { ChainSecret } from '../adapters/node/chain-handle.js'
import { openIdentity } from '../adapters/node/chain-secret.js'
import { keepEvidence } from '../adapters/node/evidence-file.js'
import { FileStorage } from '../adapters/node/file-storage.js'
import { makeDirectory } from '../adapters/node/make-directory.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { replicaKeyring } from '../adapters/node/replica-keyring.js'
import { remoteStateFile } from '../adapters/node/remote-state-file.js'
import { type ClientState, readClientState, RemoteChain, type StateStore } from '../client/index.js'
import { DEFAULT_RECOVERY_MODE, isSyncMode, parseRecoveryMode, type RecoveryMode } from '../client/index.js'
import { type ChainKeys, deriveChainKeys } from '../engine/crypto/chain-keys.js'
import { wipe } from '../engine/crypto/wipe.js'
import { settledLater } from '../engine/chain/settled-later.js'
import type { Chain } from '../engine/dio/chain.js'
import { AteError } from '../engine/error.js'
import type { Durability } from '../engine/dio/commit-options.js'
import { type BatchSource, type LogEnd, MemoryStorage } from '../engine/log/index.js'
import type { ChainAddress } from '../wire/index.js'
import type { Keeping, OpenedChain } from './chain-on.js'
import { closingOnFailure } from './closing-on-failure.js'
import type { AteConfigOptions } from './config.js'
import { JUDGE_MODULE } from './judge-module.js'
import type { OpenOptions } from './open-options.js'
import { receiverOf } from './receiver.js'
import { redirected } from './redirected.js'
import { chainUrl, hasKeyFile, replicaDirectory } from './replica-places.js'
import { secretFor } from './secret.js'
import { cutCopyBack, cuttingBack, prepareCopy, SERVER_TIMEOUT_MS } from './served-copy.js'
import { linkTo, type ServerLink } from './server-link.js'

const DEFAULT_KEY_BITS = 256

/** What is open here of it. */
export type LocalReplica = OpenedChain & { readonly source: BatchSource; readonly head: LogEnd }

export interface OpenRemote {
  readonly address: ChainAddress
  readonly options: Readonly<AteConfigOptions>
  readonly opening: OpenOptions
  /** Validators look into what others have committed before it is taken in. */
  readonly judgesContent: boolean
  readonly openDirectory: (directory: string, secret: ChainSecret) => Promise<LocalReplica>
  readonly openMemory: (storage: MemoryStorage, keys: ChainKeys) => Promise<LocalReplica>
  readonly chainOn: (opened: OpenedChain, keeping: Keeping) => Promise<Chain>
}

export async function openRemote(wanted: OpenRemote): Promise<Chain> {
  // A chain that is closed ends its link: each attempt has one of its own.
  const open = (): Promise<Chain> =>
    redirected(wanted.address, (at) => {
      const use = linkTo(at, wanted.options)
      return closingOnFailure(use.link, () => openOnce(wanted, placeOf(wanted), use))
    })
  return cuttingBack(open, (sequence) => placeOf(wanted).cutBack(sequence))
}

/** Files, or memory: there what is not at the server is forgotten. */
interface Place {
  readonly directory: string | undefined
  readonly storage: FileStorage | MemoryStorage
  readonly secret: ChainSecret
  readonly state: StateStore
  open(): Promise<LocalReplica>
  cutBack(sequence: number): Promise<void>
}

function placeOf({ address, options, openDirectory, openMemory }: OpenRemote): Place {
  const { logPath, onNotice, onSetAside } = options
  const directory = logPath === undefined ? undefined : replicaDirectory(logPath, address)
  const secret = secretFor(options, hasKeyFile(directory))
  if (directory === undefined) return memoryPlace(secret, openMemory)
  const storage = new FileStorage(directory)
  const open = (): Promise<LocalReplica> => openDirectory(directory, secret)
  const url = chainUrl(address)
  const places = { directory, secret, judgeModule: JUDGE_MODULE, receiverOf }
  const cutBack = async (sequence: number): Promise<void> => {
    const keepsBefore = onSetAside !== undefined
    const copy = await cutCopyBack({ ...places, url, open, onNotice, keepsBefore }, sequence)
    if (copy !== undefined) onSetAside?.({ url, ...copy })
  }
  return { directory, storage, secret, state: remoteStateFile(directory, storage), open, cutBack }
}

function memoryPlace(secret: ChainSecret, openMemory: OpenRemote['openMemory']): Place {
  const storage = new MemoryStorage()
  const state: StateStore = { read: () => Promise.resolve(undefined), write: () => Promise.resolve() }
  const open = async (): Promise<LocalReplica> => {
    const { rootKey, chainId, suite } = await openIdentity(storage, secret)
    const keys = deriveChainKeys(nativeCrypto, rootKey, chainId, suite)
    wipe(rootKey)
    return openMemory(storage, keys)
  }
  return { directory: undefined, storage, secret, state, open, cutBack: () => Promise.resolve() }
}

async function openOnce(wanted: OpenRemote, place: Place, use: ServerLink): Promise<Chain> {
  const { address, options } = wanted
  const mode = parseRecoveryMode(options.recoveryMode ?? DEFAULT_RECOVERY_MODE)
  if (place.directory !== undefined) makeDirectory(place.directory, 0o700)
  const known = await readClientState(nativeCrypto, place.state, chainUrl(address))
  await prepare(wanted, place, use, known, mode)
  const opened = await place.open()
  let closing: Promise<void> | undefined
  const local = { ...opened, close: () => (closing ??= opened.close()) }
  return closingOnFailure(local, () => follow(wanted, place, use, known, mode, local))
}

async function prepare(
  { address, options, opening }: OpenRemote,
  { directory, storage, secret }: Place,
  { link, isOwner }: ServerLink,
  known: ClientState,
  mode: RecoveryMode,
): Promise<void> {
  const { keyBits = DEFAULT_KEY_BITS, trust, noCreate = false } = options
  await prepareCopy(directory, {
    storage,
    link,
    isOwner,
    chain: address.chain,
    secret,
    keyBits,
    trust,
    noCreate,
    wasServed: known.server.sequence > 0,
    mayBeAway: mode !== 'sync',
    signal: opening.signal,
  })
}

async function follow(
  { address, options, opening, judgesContent, chainOn }: OpenRemote,
  { directory, state, storage }: Place,
  use: ServerLink,
  known: ClientState,
  mode: RecoveryMode,
  local: LocalReplica,
): Promise<Chain> {
  const { view, source, trust, head } = local
  const made: { chain?: Chain } = {}
  const isLazy = directory === undefined && options.loadsContent !== true && !judgesContent
  const remote = new RemoteChain({
    link: use.link,
    crypto: nativeCrypto,
    chain: address.chain,
    recoveryMode: mode,
    trust,
    source,
    head,
    view,
    isLazy,
    receive: async (run) => {
      // A chain that is being closed takes in nothing more.
      if (made.chain === undefined || made.chain.isClosed) return new Promise(() => undefined)
      await made.chain.receive(run, { isDurable: false, mayMiss: true })
    },
    flush: () => view.commit({ isDurable: false }),
    state,
    known,
    onKeyring: replicaKeyring(storage, source.keys, options.onNotice),
    onNotice: options.onNotice,
    onEvidence: keepEvidence(directory, options.onNotice),
    onFailure: (error) => options.onNotice?.(`${chainUrl(address)}: ${error.message}`),
  })
  const close = async (): Promise<void> => {
    await remote.close()
    await local.close()
    await use.link.close()
  }
  const isOnDisk = directory !== undefined
  const waits = { accepted: () => remote.accepted(), refresh: () => remote.refresh() }
  const shared = { ...waits, isStrict: isSyncMode(mode), isOnDisk }
  const started = settledLater()
  const compacting = {
    ready: started.settled,
    mayCompact: () => remote.status().hasTurn,
    triggers: () => remote.status().compaction,
  }
  const opened = { ...local, ...(isLazy ? { exportRange: refuseExport } : {}), close }
  const chain = await chainOn(opened, { durability: durabilityOf(mode, isOnDisk), shared, compacting })
  made.chain = chain
  return closingOnFailure(chain, async () => {
    await remote.start({ timeoutMs: SERVER_TIMEOUT_MS, mayBeAway: mode !== 'sync', signal: opening.signal })
    started.settle()
    return chain
  })
}

function refuseExport(): never {
  throw new AteError('NOT_SUPPORTED', 'What is not here cannot be exported.', {
    hint: 'Open the chain with `loadsContent`, or in a directory.',
  })
}

/** What commits are by default. */
function durabilityOf(mode: RecoveryMode, isOnDisk: boolean): Durability {
  if (isSyncMode(mode)) return 'server'
  if (isOnDisk) return 'local'
  return mode === 'async' ? 'memory' : 'server'
}
