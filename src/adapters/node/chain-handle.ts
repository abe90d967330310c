/**
 * What a mount needs of a chain: the records, what `atefs status` shows, and an orderly end. `adapters/node/open-chain.ts`
 * provides it; the daemon depends on this face only.
 */
import type { ChainKeeping } from '../../engine/chain/chain-keeping.js'
import type { ChainKeys } from '../../engine/crypto/chain-keys.js'
import type { AeadSuite } from '../../engine/crypto/suites.js'
import type { RefusedBatch } from '../../engine/chain/batch-gate.js'
import type { CompactionReport } from '../../engine/chain/compaction/compaction-report.js'
import type { BodyCacheOptions } from '../../engine/chain/body-reader.js'
import type { RecordView } from '../../engine/chain/record-view.js'
import type { BatchSource } from '../../engine/log/index.js'
import type { ChainTrust } from '../../engine/log/types.js'

/** What opens a chain. */
export interface ChainIdentity {
  rootKey: Uint8Array
  chainId: Uint8Array
  suite: AeadSuite
}

/** Where the root key comes from. */
export type ChainSecret =
  /** Opens (or becomes, when creating) a slot of the keyring. The receiver does not keep or wipe the bytes. */
  | { kind: 'passphrase'; passphrase: Uint8Array }
  /** `--no-auth`: the file `key` beside the log. */
  | { kind: 'key-file' }
  /** It was open before, in this process: what the others gave. The receiver does not keep or wipe the bytes. */
  | { kind: 'identity'; identity: ChainIdentity }
  /** `--temp`: a random key that exists in memory only; nothing but `createChain` takes it. */
  | { kind: 'temporary' }

export interface OpenChainOptions {
  /** Absolute path of the chain's directory. `createChain` makes it (0700) when absent. */
  directory: string
  secret: ChainSecret
  /** Directory of the anchors, outside the log; undefined (temporary chains): no anchor is kept. */
  anchorDirectory: string | undefined
  readOnly: boolean
  /** What is kept in memory of bodies that were read. */
  bodyCache?: BodyCacheOptions | undefined
  /** Opens a damaged log read-only; what is damaged fails with BODY_DAMAGED. */
  allowDamage: boolean
  /** Takes a log that ends before what the anchor knows durable, and moves the anchor back. */
  acceptRollback: boolean
  /** A copy of a chain that a server keeps. */
  isServed?: boolean | undefined
  /**
   * URL of a module whose `findReferences` (`FindReferences`) tells which bodies the chain's records refer to. Without it the
   * chain cannot be compacted.
   */
  referencesModule?: string | undefined
  /** URL of a module whose `judgeBatch` (`JudgeBatch`) judges the batches of distributed trust. NOT_SUPPORTED without it. */
  judgeModule?: string | undefined
  /** Such a batch was refused: nothing of it counts. */
  onRefused?: ((refused: RefusedBatch) => void) | undefined
  /** Ends the opening: ABORTED, and nothing is open then. */
  signal?: AbortSignal | undefined
  /** Called a few times a second while opening takes long. */
  onProgress: (progress: OpenProgress) => void
  /** Something worth a line to the user that does not stop the opening (no anchor found, the index is rebuilt, ...). */
  onNotice: (message: string) => void
}

export interface CreateChainOptions extends OpenChainOptions {
  keyBits: KeyBits
  /** The default is `local`. */
  trust?: ChainTrust | undefined
}

export type KeyBits = 128 | 192 | 256

/** How far the opening of a chain is. */
export interface OpenProgress {
  /** What is being done, for people: 'reading the log'. */
  phase: string
  /** Of this phase. */
  doneBytes: number
  /** Of this phase. */
  totalBytes: number
}

export interface ChainStatus {
  /** Hexadecimal. */
  chainId: string
  /** Name of the suite, for example 'aes-256-gcm'. */
  suite: string
  keyBits: KeyBits
  logBytes: number
  indexBytes: number
  /** Of the last batch handed to the log; 0 and all zeros for an empty chain. Digest in hexadecimal. */
  headSequence: number
  headDigest: string
  /** The last batch known to be on the medium, and when that was learnt (milliseconds since 1970; undefined: not in this session). */
  durableSequence: number
  durableAtMs: number | undefined
  /** Bytes of the current transaction, and of those committed but not yet durable. */
  pendingBytes: number
  inFlightBytes: number
  /** Set once the storage failed under a commit: the sentence of the WRITE_FAILED error. */
  failure: string | undefined
}

export interface ChainHandle extends ChainKeeping {
  readonly view: RecordView
  /** Secret; wiped by `close`. The file system takes its name key from here. */
  readonly keys: ChainKeys
  readonly trust: ChainTrust
  /** Its log, to be read besides. */
  readonly source: BatchSource
  /** Cheap: no medium is touched. */
  status(): ChainStatus
  /** Gives the space of bodies back that no record refers to. NOT_SUPPORTED, READ_ONLY, NO_SPACE, CHAIN_DAMAGED, ... */
  compact(): Promise<CompactionReport>
  /** Waits for what is committed, writes the index and the anchor, and gives up the lock. Rejects with WRITE_FAILED. */
  close(): Promise<void>
}

/**
 * Fails with CHAIN_NOT_FOUND, NOT_A_CHAIN, CHAIN_LOCKED (at once, before the key derivation, naming the pid that the lock
 * file holds), WRONG_PASSPHRASE, UNSUPPORTED_FORMAT, CHAIN_DAMAGED, CHAIN_ROLLED_BACK, KEYRING_DAMAGED.
 */
export type OpenChain = (options: OpenChainOptions) => Promise<ChainHandle>

/** Makes a chain and opens it (one key derivation). Fails with CHAIN_EXISTS, CHAIN_LOCKED, NO_SPACE, ... */
export type CreateChain = (options: CreateChainOptions) => Promise<ChainHandle>
