/**
 * The line between the thread that changes a chain and the one that makes changes durable. `ChainWriter` stands behind it,
 * in the same thread (memory, tests, read-only) or in a worker (`adapters/node/worker-committer.ts`).
 */
import type { SigningKey } from '../crypto/signature.js'
import type { RecordKey } from '../index/record-key.js'
import type { BatchBytes, ReceivedBatch } from '../log/index.js'
import type { GroupDraft, NumberRange } from '../log/types.js'
import type { BodyPlace } from './body-place.js'
import type { CompactionReport } from './compaction/compaction-report.js'
import type { RewriteWork } from './compaction/rewrite-work.js'

/** One transaction, ready for the log. Its parts must not change until the receipt comes. */
export interface CommitRequest {
  /** Ascending from 1 in each session. */
  transaction: number
  /** None: only earlier transactions are to become durable. */
  groups: GroupDraft[]
  /** Whose rights it uses: they sign it, in distributed trust. */
  signers?: readonly SigningKey[] | undefined
  /** False: the receipt may come when it is in the log, durable with the next that is. */
  isDurable: boolean
}

/** Batches that were made elsewhere, to be kept as they are: all or none. */
export interface ReceiveRequest {
  /** Of the last of them; those before it have the numbers before. Counted together with commits. */
  transaction: number
  run: readonly BatchBytes[]
  isDurable: boolean
  /** Content may be missing that a later batch drops. */
  mayMiss: boolean
  /** Sequences of those that are refused: the log has them, and nothing of them counts. */
  refused: readonly number[]
}

export interface WriterStatus {
  headSequence: number
  headDigest: Uint8Array
  durableSequence: number
  logBytes: number
  indexBytes: number
  /** Bytes that can surely be committed now, without and with the reserve kept for deletions. */
  availableBytes: number
  availableEssentialBytes: number
}

export interface CommitReceipt {
  transaction: number
  places: BodyPlace[]
  status: WriterStatus
}

export interface Committer {
  /**
   * Called before bodies are dropped that nothing refers to, or records forgotten, with the bytes that this takes in the log.
   * Resolves with true when the bytes are set aside until `onCompacted` and, with `outwaitsReaders`, nobody reads a state that
   * may still refer to them.
   */
  onDropping: (bytes: number, outwaitsReaders: boolean) => Promise<boolean>
  /** Called with what is to be written anew before. True when all of it is in the log, or needs not be any more. */
  onRepacking: (work: RewriteWork) => Promise<boolean>
  /** Where others change the chain too: true when the turn has come, and is kept until `onTurnOver`. */
  onTurn: () => Promise<boolean>
  /** `dropped`: by what was done in turn. */
  onTurnOver: (status: WriterStatus, dropped: readonly NumberRange[]) => void
  onCompacted: (status: WriterStatus) => void
  /** Resolves when the transaction is in the log, and durable if it asked for that. In the order of submission. */
  submit(request: CommitRequest): Promise<CommitReceipt>
  /**
   * Keeps batches that were made elsewhere. `onKept` is called once, before the index takes them in. Rejects with CHAIN_GAP,
   * CHAIN_FORKED, OTHER_CHAIN, BATCH_REFUSED, UNSUPPORTED_FORMAT or NO_SPACE when nothing of them is kept; WRITE_FAILED.
   * `verified`: the run as this thread has verified it. Another thread trusts nobody, and does that again.
   */
  receive(
    request: ReceiveRequest,
    onKept: (receipt: CommitReceipt) => void,
    verified?: readonly ReceivedBatch[],
  ): Promise<void>
  /** What was submitted lies in closed segments of the log when it resolves. Rejects with NO_SPACE, changing nothing. */
  rotate(): Promise<WriterStatus>
  /** Tries to find more space; rejects with NO_SPACE. */
  makeRoom(): Promise<WriterStatus>
  /** Called with a transaction up to which the index has taken everything in, and the leaves that changed for it. */
  onIndexed: (transaction: number, changedLeaves: readonly RecordKey[]) => void
  /**
   * Gives the space of bodies back that nothing refers to any more. `isShared`: others change the chain too, and bodies are only
   * dropped, in turn.
   */
  compact(isShared: boolean): Promise<CompactionReport>
  /** Flushes the index and closes the log. */
  close(): Promise<void>
}
