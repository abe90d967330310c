/** The copy of a chain that a server keeps, open and followed, with the file system on it. */
import type { ChainHandle } from '../../adapters/node/chain-handle.js'
import { keepEvidence } from '../../adapters/node/evidence-file.js'
import { FileStorage } from '../../adapters/node/file-storage.js'
import { nativeCrypto } from '../../adapters/node/native-crypto.js'
import { replicaKeyring } from '../../adapters/node/replica-keyring.js'
import { remoteStateFile } from '../../adapters/node/remote-state-file.js'
import {
  type ClientState,
  type Diverged,
  isSyncMode,
  RemoteChain,
  type RemoteLink,
  type RemoteLocks,
} from '../../client/index.js'
import { fromHex } from '../../engine/bytes/hex.js'
import type { AteError } from '../../engine/error.js'
import { SERVER_TIMEOUT_MS } from '../../library/served-copy.js'
import { parseChainUrl } from '../../wire/index.js'
import { holdsFileSystem } from '../vfs/check/check.js'
import { joinTrust } from './join-trust.js'
import type { RemoteRequest } from './remote-request.js'
import { type SharedFileSystem, SharedReceiver } from './shared-receiver.js'

/** What making a file system adds to the log. */
const ROOT_BYTES = 4096

export interface ReplicaOptions {
  readonly remote: RemoteRequest
  readonly directory: string
  readonly onProgress: (progress: { phase: string; doneBytes: number; totalBytes: number }) => void
  readonly onNotice: (message: string) => void
  /** Used in the modes in which they hold on all machines. */
  readonly locks: RemoteLocks
  /** It cannot go on. */
  readonly onFailure: (error: AteError) => void
  /** Nothing is committed here, and whoever opens the copy next judges what has come. */
  readonly onlyFetches?: boolean
  /** Content is fetched when it is read. */
  readonly isLazy?: boolean
}

export class ServedReplica {
  readonly chain: ChainHandle
  readonly remote: RemoteChain
  /** In distributed trust: ids of the keys that may write a file system that is made. */
  readonly writers: readonly Uint8Array[] | undefined
  /** Others went on without what was changed here. */
  divergence: Diverged | undefined
  readonly #options: ReplicaOptions
  readonly #receiver: SharedReceiver

  constructor(options: ReplicaOptions, link: RemoteLink, chain: ChainHandle, known: ClientState) {
    const { remote, directory, onProgress, onNotice, onFailure } = options
    const { view, source, trust } = chain
    const { headSequence: sequence, headDigest } = chain.status()
    const receiver = new SharedReceiver(view)
    this.#options = options
    this.chain = chain
    this.writers = options.onlyFetches === true ? undefined : joinTrust(chain)
    this.#receiver = receiver
    this.remote = new RemoteChain({
      link,
      crypto: nativeCrypto,
      chain: parseChainUrl(remote.url).chain,
      recoveryMode: remote.recoveryMode,
      trust,
      source,
      head: { sequence, digest: fromHex(headDigest) },
      view,
      mayTrail: !isSyncMode(remote.recoveryMode),
      isLazy: options.isLazy,
      receive: (run) => receiver.receive(run),
      flush: () => receiver.flush(),
      ...(isSyncMode(remote.recoveryMode) ? { locks: options.locks } : {}),
      state: remoteStateFile(directory, new FileStorage(directory)),
      known,
      onKeyring: replicaKeyring(new FileStorage(directory), source.keys, onNotice),
      onNotice,
      isUnjudged: trust === 'distributed' && options.onlyFetches === true,
      onEvidence: keepEvidence(directory, onNotice),
      onFailure,
      onProgress: (doneBytes, totalBytes) => onProgress({ phase: 'loading', doneBytes, totalBytes }),
    })
  }

  /** Begins to follow. As `RemoteChain.start`. */
  async start(): Promise<void> {
    const mayBeAway = this.#options.remote.recoveryMode !== 'sync'
    await this.remote.start({ timeoutMs: SERVER_TIMEOUT_MS, mayBeAway })
  }

  get hasFileSystem(): boolean {
    return holdsFileSystem(this.chain.view)
  }

  /** Of a chain that has none yet it is made, in turn. */
  async openFileSystem<T extends SharedFileSystem>(open: () => Promise<T>, readOnly: boolean): Promise<T> {
    const { view } = this.chain
    // Where several wait to make it, all but the first find it made.
    if (!this.hasFileSystem && !readOnly)
      for (let wait = view.reserve(ROOT_BYTES, false); wait !== undefined; wait = view.reserve(ROOT_BYTES, false))
        await wait
    return this.#receiver.openOn(open)
  }

  /** Brings the server what it lacks, for a bounded time, and lets go of it and of the chain. */
  async close(): Promise<void> {
    try {
      await this.remote.close()
      this.#receiver.close()
    } finally {
      await this.chain.close()
    }
  }
}
