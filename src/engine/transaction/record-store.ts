/** The records of a chain with snapshots and optimistic transactions. All changes of the chain go through it. */
import type { JudgedState } from '../chain/batch-gate.js'
import type { RecordView } from '../chain/record-view.js'
import type { SigningKey } from '../crypto/signature.js'
import { AteError } from '../error.js'
import { type ReceivedChange, receivedChanges } from '../chain/received-changes.js'
import type { ChangeSink } from '../chain/change-stream.js'
import { MAX_RECORD_VALUE_BYTES } from '../limits.js'
import type { RecordKey } from '../index/record-key.js'
import type { BatchBytes, ReceivedBatch } from '../log/index.js'
import { JoinedCommits } from './joined-commits.js'
import { RecordTransaction } from './record-transaction.js'
import type { RecordReader } from './record-reader.js'
import type { Snapshot } from './snapshot.js'
import { Snapshots } from './snapshots.js'

/** What the changes of one transaction may take in the log: it is written, and read again, as one batch. */
const MAX_TRANSACTION_BYTES = 128 * 1024 * 1024

/** Changes committed that are not in the log yet. */
const MAX_IN_FLIGHT_BYTES = 8 * 1024 * 1024

/** Records of one listing, when a range of them is deleted. */
const LISTED_RECORDS = 1024

/** A batch from elsewhere that is verified: whole, authentic by the chain's keys, and the next one. */
export interface ReceivedChanges {
  readonly batch: ReceivedBatch
  readonly changes: readonly ReceivedChange[]
}

/**
 * Judges batches from elsewhere that are kept together, by the chain before the first: `latest`. What it throws is told to who
 * brought them, and nothing of them is kept. Resolves with the sequences of those that are kept, and of which nothing counts.
 */
export type ValidateRun = (run: readonly ReceivedChanges[], latest: JudgedState) => Promise<readonly number[]>

export interface ReceiveBatch {
  isDurable: boolean
  /** Content may be missing that a later batch drops: who asks sees to it that it comes, or the chain is thrown away. */
  mayMiss: boolean
  validate: ValidateRun
  /** Called when everybody sees the changes. */
  onApplied: () => void
}

export interface CommitTransaction {
  /** False: it is not waited for until it is on the medium. */
  isDurable: boolean
  /** Resolves when others have taken all that is in the log: a commit that waits for that. */
  taken?: (() => Promise<void>) | undefined
  /** What comes to the changes when they are applied, at most. */
  moreBytes: number
  /**
   * Called when nothing can come in between any more, to settle what depends on the latest records. `hasWaited`: it was
   * not called at once, and its caller may have gone on.
   */
  settle: (latest: RecordReader, hasWaited: boolean) => void
  /** Called when it is certain that it is committed, for the last changes. */
  finish: () => void
  /** Called when everybody sees the changes. */
  onApplied: () => void
  /** Called after `settle`: whose rights the changes use. */
  signers?: () => readonly SigningKey[]
}

/** A record that a commit has changed; undefined: there was none, or is none. */
export interface RecordChange {
  readonly kind: number
  readonly high: number
  readonly low: number
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

export interface CommitListener {
  /** False: nobody listens, and changes need not be gathered. */
  readonly isListening: boolean
  /** Called for each commit, in their order; `committed` settles when it is as durable as was asked for. */
  note(changes: readonly RecordChange[], committed: Promise<void>): void
}

export class RecordStore {
  readonly #view: RecordView
  readonly #snapshots: Snapshots
  readonly #joined: JoinedCommits
  /** Commits that have not ended: they end in their order. */
  readonly #underWay: Promise<void>[] = []
  readonly #listener: CommitListener
  #isClosed = false
  /** Settled when no batch from elsewhere is taken in. */
  #receiving: Promise<void> | undefined

  /** `showsEach` as in `JoinedCommits`. */
  constructor(view: RecordView, listener: CommitListener, showsEach: (kind: number) => boolean = () => true) {
    this.#view = view
    this.#joined = new JoinedCommits(view, showsEach)
    this.#snapshots = new Snapshots(view)
    view.keepBodiesFor?.(() => (this.#isClosed ? () => true : this.#snapshots.mark()))
    this.#listener = listener
  }

  get isReadOnly(): boolean {
    return this.#view.readOnly
  }

  /** The records as they are now, for as long as somebody reads them. */
  snapshot(): Snapshot {
    return this.#snapshots.take()
  }

  begin(): RecordTransaction {
    return new RecordTransaction(this.#snapshots)
  }

  /**
   * Makes the changes part of one batch of the chain. CONFLICT when something that was read has changed: nothing has happened then.
   * NO_SPACE, READ_ONLY, WRITE_FAILED. Resolves when it is as durable as asked for.
   */
  async commit(transaction: RecordTransaction, options: CommitTransaction): Promise<void> {
    if (this.isReadOnly) throw new AteError('READ_ONLY', 'The chain is open for reading only.')
    const bytes = transaction.bytes + options.moreBytes
    if (bytes > MAX_TRANSACTION_BYTES)
      throw new AteError(
        'TRANSACTION_TOO_LARGE',
        `The transaction has ${bytes} bytes; ${MAX_TRANSACTION_BYTES} are the limit.`,
      )
    const turn = this.#turnFor(bytes)
    if (turn !== undefined) await turn
    options.settle(this.#view, turn !== undefined)
    if (transaction.isStale)
      throw new AteError('CONFLICT', 'Something that was read has been changed meanwhile.', {
        hint: 'Begin again with what is there now.',
      })
    const signers = options.signers?.() ?? []
    options.finish()
    refuseLarge(transaction)
    transaction.end()
    const { isDurable, taken } = options
    let changes: readonly RecordChange[] = []
    const commit = { changes: transaction.changes, isDurable, signers, taken }
    const joined = this.#joined.commit(commit, () => {
      changes = this.#apply(transaction)
      options.onApplied()
    })
    const { inLog } = joined
    this.#follow(inLog)
    const committed = isDurable || taken !== undefined ? inLog : this.#catchUp()
    if (changes.length > 0) this.#listener.note(changes, committed)
    await (taken === undefined ? committed : joined.taken)
  }

  /** What is committed is on its way to the log, and nobody reads any more, whatever he holds. */
  close(): void {
    this.#isClosed = true
    this.#joined.flush()
  }

  /**
   * Takes in batches that were made elsewhere, all or none. Who reads a snapshot does not see them, and transactions conflict
   * with them, as with any commit. CHAIN_GAP, CHAIN_FORKED, OTHER_CHAIN, BATCH_REFUSED, UNSUPPORTED_FORMAT, BAD_FORMAT, NO_SPACE,
   * and what `validate` throws: nothing of them is kept then. WRITE_FAILED.
   */
  receive(run: readonly BatchBytes[], options: ReceiveBatch): Promise<ReceivedBatch[]> {
    const before = this.#receiving ?? Promise.resolve()
    const received = before.then(() => this.#receive(run, options))
    const onEnd = (): void => {
      if (this.#receiving === ended) this.#receiving = undefined
    }
    const ended = received.then(onEnd, onEnd)
    this.#receiving = ended
    return received
  }

  /** A record is about to say the same of other bodies: whoever reads now reads an older state, which refers to those before. */
  noteMove(): void {
    this.#snapshots.forCommit()
  }

  /** A record is about to be deleted that the latest state does not need: who reads an older one may. */
  noteDrop({ kind, high, low }: RecordKey): void {
    this.#snapshots.forCommit()?.keep(kind, high, low, () => this.#view.get(kind, high, low))
  }

  /** Everything committed so far is on the medium when it resolves. */
  async sync(): Promise<void> {
    await this.#view.commit({ isDurable: true })
  }

  /** Undefined when there is room for so much, and nothing is taken in from elsewhere; else when that is so. NO_SPACE. */
  #turnFor(bytes: number): Promise<void> | undefined {
    const before = this.#receiving ?? this.#view.reserve(bytes, false)
    return before?.then(() => this.#turnFor(bytes))
  }

  async #receive(run: readonly BatchBytes[], options: ReceiveBatch): Promise<ReceivedBatch[]> {
    const view = this.#view
    if (view.verifyRun === undefined || view.receive === undefined)
      throw new AteError('NOT_SUPPORTED', 'This chain takes in nothing from elsewhere.')
    if (run.length === 0) throw new AteError('BAD_ARGUMENT', 'There is no batch to take in.')
    const { isDurable, mayMiss, validate, onApplied } = options
    const batches = await view.verifyRun(run, mayMiss)
    const received = batches.map((batch) => ({ batch, changes: receivedChanges(batch.records) }))
    const refused = await validate(received, view)
    await view.receive(batches, {
      isDurable,
      mayMiss,
      refused,
      apply: (sink) => {
        for (const { batch, changes } of received) {
          if (refused.includes(batch.sequence)) continue
          const noted = this.#applyReceived(changes, sink)
          onApplied()
          if (noted.length > 0) this.#listener.note(noted, Promise.resolve())
        }
      },
    })
    return batches
  }

  /** As `#apply`, for changes that come from outside. */
  #applyReceived(changes: readonly ReceivedChange[], sink: ChangeSink): RecordChange[] {
    const snapshot = this.#snapshots.forCommit()
    const noted: RecordChange[] = []
    const note = (kind: number, high: number, low: number, value: Uint8Array | null): void => {
      const read = (): Uint8Array | undefined => this.#view.get(kind, high, low)
      snapshot?.keep(kind, high, low, read)
      if (this.#listener.isListening) noted.push({ kind, high, low, before: read(), after: value ?? undefined })
    }
    for (const change of changes) {
      const { kind, high } = change
      if ('low' in change) {
        const { low, value } = change
        note(kind, high, low, value)
        if (value === null) sink.delete(kind, high, low)
        else sink.put(kind, high, low, value)
        continue
      }
      for (const low of this.#lowsIn(change)) note(kind, high, low, null)
      sink.deleteRange(kind, high, change.from, change.to)
    }
    return noted
  }

  *#lowsIn({ kind, high, from, to }: { kind: number; high: number; from: number; to: number }): Generator<number> {
    for (let next = from; next <= to;) {
      const items = this.#view.range(kind, high, next, to, LISTED_RECORDS)
      for (const { low } of items) yield low
      const last = items.at(-1)
      if (last === undefined || items.length < LISTED_RECORDS) return
      next = last.low + 1
    }
  }

  #follow(committed: Promise<void>): void {
    // Of those that go into the log together once.
    if (this.#underWay.at(-1) === committed) return
    this.#underWay.push(committed)
    const onEnd = (): void => void this.#underWay.shift()
    committed.then(onEnd, onEnd) // of a failure, the next one that waits is told
  }

  /** Who commits faster than the log is written waits for it here, so that memory is bounded. */
  async #catchUp(): Promise<void> {
    while (this.#view.inFlightBytes > MAX_IN_FLIGHT_BYTES) {
      const [first] = this.#underWay
      if (first === undefined) return
      await first.catch(() => undefined)
    }
  }

  /** Returns what has changed, for who listens. */
  #apply(transaction: RecordTransaction): RecordChange[] {
    const snapshot = this.#snapshots.forCommit()
    const { isListening } = this.#listener
    const changes: RecordChange[] = []
    for (const { kind, high, low, value } of transaction.changes) {
      if (snapshot !== undefined || isListening) {
        const read = (): Uint8Array | undefined => this.#view.get(kind, high, low)
        snapshot?.keep(kind, high, low, read)
        if (isListening) changes.push({ kind, high, low, before: read(), after: value ?? undefined })
      }
      if (value === null) this.#view.delete(kind, high, low)
      else this.#view.put(kind, high, low, value)
    }
    return changes
  }
}

/** The chain would be broken by a record that it cannot hold: this is the last moment at which nothing has happened. */
function refuseLarge({ changes }: RecordTransaction): void {
  for (const { value } of changes)
    if (value !== null && value.length > MAX_RECORD_VALUE_BYTES)
      throw new AteError('OBJECT_TOO_LARGE', `A record of ${value.length} bytes is above the limit.`)
}
