/** What a copy of a chain needs to be one of many: its local log, how batches get into it, and the way to the server. */
import type { RecordView } from '../engine/chain/record-view.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import type { AteError } from '../engine/error.js'
import type { BatchBytes, BatchSource, LogEnd } from '../engine/log/index.js'
import type { ChainTrust } from '../engine/log/types.js'
import type { ForkEvidence, HeadSigner } from '../sync/index.js'
import type { Timers } from '../wire/index.js'
import type { ClientState } from './client-state.js'
import type { RecoveryMode } from './recovery-mode.js'
import type { RemoteLink } from './remote-link.js'
import type { RemoteLocks } from './remote-locks.js'

/** What a client remembers of the chain from one start to the next (`client-state.ts`). */
export interface StateStore {
  read(): Promise<Uint8Array | undefined>
  /** It need not survive a power cut: what is damaged or missing is learnt anew. */
  write(bytes: Uint8Array): Promise<void>
}

export interface RemoteChainOptions {
  readonly link: RemoteLink
  readonly crypto: CryptoProvider
  /** Its name at the server. */
  readonly chain: string
  readonly recoveryMode: RecoveryMode
  readonly trust: ChainTrust
  /** The local log, and where it ends. */
  readonly source: BatchSource
  readonly head: LogEnd
  /** Is shared (`RecordView.shareWith`). */
  readonly view: RecordView
  /** Keeps batches that follow the local log, in the log and for whoever reads the chain. */
  readonly receive: (run: readonly BatchBytes[]) => Promise<void>
  /** Has everything that was changed in turn in the local log when it resolves. It must not ask for the turn. */
  readonly flush: () => Promise<void>
  /** The server may get what nobody waits for up to a second later: who works here goes first. */
  readonly mayTrail?: boolean | undefined
  /** Content is fetched when it is read. */
  readonly isLazy?: boolean | undefined
  /** Are told on which connection they are. */
  readonly locks?: Pick<RemoteLocks, 'connected' | 'disconnected'> | undefined
  /** As `readClientState` has read it. */
  readonly state: StateStore
  readonly known: ClientState
  /** The keyring at the server, when it is opened and whenever it is another. */
  readonly onKeyring?: ((keyring: Uint8Array) => void) | undefined
  /** The server has shown two histories: to be kept for others to check. */
  readonly onEvidence?: ((evidence: ForkEvidence, signer: HeadSigner) => void) | undefined
  /** It is of no use to go on: nothing is followed, and changes are refused with this. */
  readonly onFailure?: ((error: AteError) => void) | undefined
  /** Nobody judges here what comes (distributed trust): no space is given back. */
  readonly isUnjudged?: boolean | undefined
  readonly onNotice?: ((message: string) => void) | undefined
  /** Batches that are here, and that there are, while it starts. */
  readonly onProgress?: ((sequence: number, target: number) => void) | undefined
  /** How long a server that is away may come back before that is told; 5 seconds. */
  readonly patienceMs?: number | undefined
  /** How long a turn is certain behind an answer of the server; 5 seconds. */
  readonly leaseMs?: number | undefined
  readonly timers?: Timers | undefined
}

export interface StartOptions {
  timeoutMs?: number | undefined
  /** What is here will do. */
  mayBeAway?: boolean | undefined
  signal?: AbortSignal | undefined
}
