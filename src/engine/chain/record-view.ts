/**
 * The view of a chain that its users (the file system, later data objects) build on: an ordered map of records and a
 * store of content bodies, changed in transactions that become one batch of the log each.
 *
 * A record's key is (kind, high, low): kind 0..255, high and low integers in [0, 2^53). Records of one (kind, high) are
 * neighbours, in memory and on disk: choose keys so that what is used together shares it (entries: high = directory;
 * extents: high = file; inodes: high = ino >> 8, low = ino).
 * Everything is synchronous but what must wait for a medium or another machine.
 */
import type { BodiesElsewhere } from './body-place.js'
import type { BodyReferences } from './compaction/body-references.js'
import type { FindReferences } from './compaction/live-bodies.js'
import type { Repack } from './compaction/rewrite-work.js'
import type { SigningKey } from '../crypto/signature.js'
import type { RecordItem } from '../index/record-item.js'
import type { BatchBytes, ReceivedBatch } from '../log/index.js'
import type { ChangeSink } from './change-stream.js'
import type { WriterTurn } from './writer-turn.js'

export type { RecordItem } from '../index/record-item.js'

/** Where a piece of content lies: `offset` bytes into the opened body number `body`. */
export interface BodySlice {
  body: number
  offset: number
  length: number
}

export interface ReceiveOptions {
  isDurable: boolean
  /** Content may be missing that a later batch drops. */
  mayMiss: boolean
  /** Sequences of those that are kept as refused: `apply` puts nothing of them, and nothing of them counts. */
  refused?: readonly number[]
  /** Called once, when the batches are kept, to put their changes. */
  apply: (sink: ChangeSink) => void
}

export interface CommitView {
  isDurable: boolean
  /** Whose rights the changes use: they sign the batch, in distributed trust. */
  signers?: readonly SigningKey[]
}

export interface ViewTrust {
  /** They sign what is committed without saying who does. */
  readonly signers: readonly SigningKey[]
  /**
   * Sequences of those that every reader refuses: `verifyRun` gives them without anything that would count. Throws for batches that
   * are not to be taken in at all: `verifyRun` does then.
   */
  readonly judge: (run: readonly ReceivedBatch[]) => readonly number[]
}

export interface RecordView {
  readonly readOnly: boolean

  /** The record's value, own uncommitted changes included. The bytes are shared: never change them. */
  get(kind: number, high: number, low: number): Uint8Array | undefined
  /** Records with from <= low <= to, ascending, at most `limit`. */
  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[]
  /** The record of (kind, high) with the greatest low <= `low`. */
  floor(kind: number, high: number, low: number): RecordItem | undefined

  /** The body lies somewhere, and has not been dropped. */
  hasBody(body: number): boolean
  /**
   * How many records refer to each body: right until something changes. All are counted when it is first asked for, which takes some
   * microseconds for each record; the same finder each time. BODY_DAMAGED.
   */
  references(findReferences: FindReferences): BodyReferences

  /** Changes join the current transaction. `value` is kept, not copied: the caller gives it away. */
  put(kind: number, high: number, low: number, value: Uint8Array): void
  delete(kind: number, high: number, low: number): void
  /** Deletes all records with from <= low <= to; costs the same for one and for millions. */
  deleteRange(kind: number, high: number, from: number, to: number): void

  /**
   * Memory for `length` bytes (at most MAX_BODY_BYTES) of content of the current transaction, shared with the committing
   * thread. It may be written until the transaction is committed, and must not be touched after.
   */
  stage(length: number): Uint8Array
  /**
   * Puts a staged piece into a body of the current transaction, which others share. `contentBytes`: of all that it is a piece
   * of; bodies are smaller for small contents. The reference can be put into records at once.
   */
  addBody(staged: Uint8Array, contentBytes?: number): BodySlice
  /** The opened body (at most MAX_BODY_BYTES); a promise only where it must be fetched. BODY_DAMAGED when it does not verify. */
  readBody(body: number): Uint8Array | Promise<Uint8Array>
  /**
   * Copies a piece of a body to `target` at `targetStart`; a promise only where it must be fetched. BODY_DAMAGED when the body
   * does not verify or is shorter.
   */
  copyBody(slice: BodySlice, target: Uint8Array, targetStart: number): Promise<void> | undefined

  /**
   * For whoever reads states that may be older than the current one: bodies that only those refer to are kept until they are
   * read no more. `mark` is called when bodies are to be dropped; what it returns tells whether all states read then are gone.
   */
  keepBodiesFor?(mark: () => () => boolean): void

  /** Bodies that did not come with their batches are had from there, from now on. */
  fetchWith?(elsewhere: BodiesElsewhere): void

  /** For a chain that other machines change too: from now on nothing is changed here but in turn. */
  shareWith?(turn: WriterTurn): void

  /** The body was dropped, or is of a batch that counts for nothing: it is never needed again. */
  isGone?(body: number): boolean

  /**
   * Has `free` give space of the log back that only readers of older states still need: when there are none, everything committed
   * lies in closed segments, and nobody copies those. Undefined: not now, or `signal` says that it is over. NO_SPACE, WRITE_FAILED, and what `free` throws.
   */
  giveBackWith?(free: () => Promise<number>, signal: AbortSignal): Promise<number | undefined>

  /** In distributed trust, for who puts the records of one writer: what is committed, and what comes from elsewhere. */
  trustWith?(trust: ViewTrust): void

  /** For who puts the records: how what they refer to is moved to new bodies. Without it nothing is. */
  repackWith?(repack: Repack): void

  /** Bytes of the current transaction (staged content and records), and of those not yet durable. */
  readonly pendingBytes: number
  readonly inFlightBytes: number
  /**
   * Makes sure that `bytes` more of changes can be committed. Undefined when they surely can; else a promise that
   * resolves when they can or rejects with NO_SPACE. `essential` (deletions) may use the reserve kept for them. Where
   * others change the chain too it is a promise until the turn has come: call it again behind it (`WriterTurn`).
   */
  reserve(bytes: number, essential: boolean): Promise<void> | undefined

  /**
   * Makes everything since the last commit one batch. Resolves when it is durable here (fdatasync); with nothing to
   * commit, when all earlier batches are. Rejects with WRITE_FAILED, and then the view is read-only for good.
   * With `isDurable` false it resolves when the batch is in the log: nobody waits for it, and it becomes durable with the
   * next commit that does.
   */
  commit(options?: CommitView): Promise<void>

  /** What was changed since the last commit is never committed, and the view is read-only for good: WRITE_FAILED. */
  fail(cause: unknown): void

  /**
   * Verifies batches that were made elsewhere, the first against what there is when everything committed before is in the log.
   * CHAIN_GAP, CHAIN_FORKED, OTHER_CHAIN, BATCH_REFUSED, UNSUPPORTED_FORMAT.
   */
  verifyRun?(run: readonly BatchBytes[], mayMiss: boolean): Promise<ReceivedBatch[]>
  /**
   * Keeps verified batches. Nothing may be changed from `verifyRun` until this has ended. Rejects as `verifyRun`, or with
   * NO_SPACE, when nothing of them is kept; WRITE_FAILED as `commit`.
   */
  receive?(run: readonly ReceivedBatch[], options: ReceiveOptions): Promise<void>
}
