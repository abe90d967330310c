/** The copy of a chain that a server keeps, behind a mount: brought up to date, followed, and changed in turn. */
import type { ChainHandle, ChainSecret, KeyBits } from '../../adapters/node/chain-handle.js'
import type { BatchReceiver } from '../../adapters/node/import-range.js'
import { keepEvidence } from '../../adapters/node/evidence-file.js'
import { FileStorage } from '../../adapters/node/file-storage.js'
import { makeDirectory } from '../../adapters/node/make-directory.js'
import { nativeCrypto } from '../../adapters/node/native-crypto.js'
import { replicaKeyring } from '../../adapters/node/replica-keyring.js'
import { remoteStateFile } from '../../adapters/node/remote-state-file.js'
import { type ClientState, isSyncMode, readClientState, RemoteChain } from '../../client/index.js'
import type { RemoteLink, RemoteStatus } from '../../client/index.js'
import { fromHex } from '../../engine/bytes/hex.js'
import { cutCopyBack, cuttingBack, prepareCopy, SERVER_TIMEOUT_MS } from '../../library/served-copy.js'
import { linkTo, type ServerLink } from '../../library/server-link.js'
import { parseChainUrl } from '../../wire/index.js'
import type { Others } from '../drivers/driver.js'
import { holdsFileSystem } from '../vfs/check/check.js'
import type { RemoteRequest } from './remote-request.js'
import { type SharedFileSystem, SharedReceiver, takeRecords } from './shared-receiver.js'

/** For chains in distributed trust. */
const JUDGE_MODULE = new URL('../../engine/dio/judging/judge-batch.js', import.meta.url).href
/** What making a file system adds to the log. */
const ROOT_BYTES = 4096

export interface OpenRemoteMount {
  readonly remote: RemoteRequest
  readonly directory: string
  readonly secret: ChainSecret
  readonly keyBits: KeyBits
  /** Opens the copy, which is there. */
  readonly openChain: () => Promise<ChainHandle>
  readonly onProgress: (progress: { phase: string; doneBytes: number; totalBytes: number }) => void
  readonly onNotice: (message: string) => void
}

export class RemoteMount {
  readonly chain: ChainHandle
  /** Which of the chain's writers this is. */
  readonly writer: number
  readonly others: Others
  readonly #link: RemoteLink
  readonly #remote: RemoteChain
  readonly #receiver: SharedReceiver
  readonly #isStrict: boolean

  private constructor(wanted: OpenRemoteMount, link: RemoteLink, chain: ChainHandle, known: ClientState) {
    const { remote, directory, onNotice } = wanted
    const { view, source, trust } = chain
    const { headSequence: sequence, headDigest } = chain.status()
    const receiver = new SharedReceiver(view)
    this.chain = chain
    this.#link = link
    this.#receiver = receiver
    this.#isStrict = isSyncMode(remote.recoveryMode)
    this.writer = writerOf(known.session)
    this.#remote = new RemoteChain({
      link,
      crypto: nativeCrypto,
      chain: parseChainUrl(remote.url).chain,
      recoveryMode: remote.recoveryMode,
      trust,
      source,
      head: { sequence, digest: fromHex(headDigest) },
      view,
      receive: (run) => receiver.receive(run),
      flush: () => receiver.flush(),
      state: remoteStateFile(directory, new FileStorage(directory)),
      known,
      onKeyring: replicaKeyring(new FileStorage(directory), source.keys, onNotice),
      onNotice,
      onEvidence: keepEvidence(directory, onNotice),
      onFailure: (error) => onNotice(`${remote.url}: ${error.message}`),
      onProgress: (doneBytes, totalBytes) => wanted.onProgress({ phase: 'loading', doneBytes, totalBytes }),
    })
    const refresh = (): Promise<void> | undefined => (this.status().hasTurn ? undefined : this.#remote.refresh())
    this.others = this.#isStrict ? { kind: 'asked', refresh } : { kind: 'pushed' }
  }

  /**
   * Resolves when everything is here that the server has, or a copy is that will do while it is away. What was changed here and
   * others did not wait for is set aside first.
   */
  static async open(wanted: OpenRemoteMount): Promise<RemoteMount> {
    const { url, serverKey, dnsServer, dnsSec, knownServers } = wanted.remote
    const server = linkTo(parseChainUrl(url), {
      knownServers,
      ...(serverKey === undefined ? {} : { serverKey }),
      ...(dnsServer === undefined ? {} : { dnsServer }),
      ...(dnsSec === undefined ? {} : { dnsSec }),
    })
    try {
      return await cuttingBack(
        () => openOnce(wanted, server),
        (sequence) => cutBack(wanted, sequence),
      )
    } catch (error) {
      await server.link.close()
      throw error
    }
  }

  /** For `open` alone: begins to follow. */
  static async start(
    wanted: OpenRemoteMount,
    link: RemoteLink,
    chain: ChainHandle,
    known: ClientState,
  ): Promise<RemoteMount> {
    const mount = new RemoteMount(wanted, link, chain, known)
    try {
      await mount.#remote.start({ timeoutMs: SERVER_TIMEOUT_MS, mayBeAway: wanted.remote.recoveryMode !== 'sync' })
      return mount
    } catch (error) {
      await mount.#remote.close()
      throw error
    }
  }

  /** Of a chain that has none yet it is made, in turn. */
  async openFileSystem<T extends SharedFileSystem>(open: () => Promise<T>, readOnly: boolean): Promise<T> {
    const { view } = this.chain
    // Where several wait to make it, all but the first find it made.
    if (!holdsFileSystem(view) && !readOnly)
      for (let wait = view.reserve(ROOT_BYTES, false); wait !== undefined; wait = view.reserve(ROOT_BYTES, false))
        await wait
    return this.#receiver.openOn(open)
  }

  /** What a sync waits for besides the medium. */
  async synced(): Promise<void> {
    if (this.#isStrict) await this.#remote.accepted()
  }

  status(): RemoteStatus {
    return this.#remote.status()
  }

  /** Brings the server what it lacks, for a bounded time, and lets go of it and of the chain. */
  async close(): Promise<void> {
    try {
      await this.#remote.close()
      this.#receiver.close()
    } finally {
      await this.#link.close()
      await this.chain.close()
    }
  }
}

async function openOnce(wanted: OpenRemoteMount, server: ServerLink): Promise<RemoteMount> {
  const { remote, directory, openChain } = wanted
  makeDirectory(directory, 0o700)
  const storage = new FileStorage(directory)
  const known = await readClientState(nativeCrypto, remoteStateFile(directory, storage), remote.url)
  await prepare(wanted, storage, server, known)
  const chain = await openChain()
  try {
    return await RemoteMount.start(wanted, server.link, chain, known)
  } catch (error) {
    await chain.close()
    throw error
  }
}

async function prepare(
  { remote, directory, secret, keyBits }: OpenRemoteMount,
  storage: FileStorage,
  { link, isOwner }: ServerLink,
  known: ClientState,
): Promise<void> {
  await prepareCopy(directory, {
    storage,
    link,
    isOwner,
    chain: parseChainUrl(remote.url).chain,
    secret,
    keyBits,
    noCreate: remote.noCreate,
    wasServed: known.server.sequence > 0,
    mayBeAway: remote.recoveryMode !== 'sync',
  })
}

/** Others went on from `sequence` while this copy was changed without the server: what is behind it here is set aside. */
function cutBack({ remote, directory, secret, openChain, onNotice }: OpenRemoteMount, sequence: number): Promise<void> {
  const places = { directory, secret, judgeModule: JUDGE_MODULE, receiverOf }
  return cutCopyBack({ ...places, url: remote.url, open: openChain, onNotice }, sequence)
}

function receiverOf(chain: ChainHandle): BatchReceiver {
  return {
    receive: (run, { isDurable, mayMiss }) => takeRecords(chain.view, run, { isDurable, mayMiss }),
    close: () => chain.close(),
  }
}

/** 48 bits of what tells this copy from all others; never 0. */
function writerOf(session: Uint8Array): number {
  return session.subarray(0, 6).reduce((number, byte) => number * 256 + byte, 0) || 1
}
