/**
 * The writing side of a chain: makes transactions durable in the log, in order, and keeps the index following it. Commits
 * waiting together are written together, with one sync.
 */
import { concatBytes } from '../bytes/concat.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError, errorCode } from '../error.js'
import { IndexWriter } from '../index/index-writer.js'
import { LeafSeal } from '../index/leaf-seal.js'
import type { OrderedStore } from '../index/ordered-store.js'
import { authorOf } from '../log/batch-author.js'
import { type Log, openLog } from '../log/index.js'
import type { LogStorage } from '../log/storage.js'
import { type AnchorStore, type AppendedBatch, type ChainTrust, type Finding, GROUP_RECORDS } from '../log/types.js'
import { runSteps } from '../run-steps.js'
import { takeInRun } from './batch-intake.js'
import { bodyPlaces, droppedBy, noteRecords, requestBytes, takeFirst } from './commit-contents.js'
import type { CompactionReport } from './compaction/compaction-report.js'
import { Compactor, type Dropped } from './compaction/compactor.js'
import type { ForgettingAttempts } from './compaction/forgetting.js'
import type { FindReferences } from './compaction/live-bodies.js'
import { SpaceFreer } from './compaction/space-freer.js'
import type { JudgeBatch, RefusedBatch } from './batch-gate.js'
import type { CommitReceipt, CommitRequest, Committer, WriterStatus } from './committer.js'
import { disownSafely, verifySafely } from './doubtful-index.js'
import { IndexFollower } from './index-follower.js'
import type { Memtable } from './memtable.js'
import { ReplayIntake } from './replay-intake.js'
import { settledLater } from './settled-later.js'

/** An index up to this size is verified before it is used, which takes some 10 ms; a larger one while nothing else is to do. */
const VERIFIED_FIRST_BYTES = 4 * 1024 * 1024
/** Commits written together: bounds how long the first of them waits for the rest. */
const GROUP_COMMIT_BYTES = 32 * 1024 * 1024

export interface ChainWriterOptions {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  store: OrderedStore
  /** Milliseconds since 1970. */
  clock: () => number
  anchor?: AnchorStore | undefined
  readOnly: boolean
  /** A copy of a chain that a server keeps. */
  isServed?: boolean | undefined
  acceptRollback?: boolean
  allowDamage?: boolean
  onFinding?: (finding: Finding) => void
  onProgress?: (doneBytes: number, totalBytes: number) => void
  /** Called with every batch that is read to open the chain. What it throws ends the opening. */
  beforeBatch?: (() => void | Promise<void>) | undefined
  onNotice?: (message: string) => void
  /** A segment is closed above this. */
  segmentBytes?: number | undefined
  /** Given when the reader lives on another thread: lets this one take in other work, a turn of its event loop. */
  nextTurn?: () => Promise<void>
  /** Without it nothing is ever dropped. */
  findReferences?: FindReferences | undefined
  /** Without it a chain of distributed trust is refused, unless damage is allowed. */
  judge?: JudgeBatch | undefined
  /** A batch was refused: nothing of it counts. */
  onRefused?: ((refused: RefusedBatch) => void) | undefined
}

interface Waiting {
  request: CommitRequest
  bytes: number
  resolve: (receipt: CommitReceipt) => void
  reject: (error: unknown) => void
}

export class ChainWriter implements Committer {
  onIndexed: Committer['onIndexed'] = () => {}
  onDropping: Committer['onDropping'] = () => Promise.resolve(true)
  onRepacking: Committer['onRepacking'] = () => Promise.resolve(false)
  onTurn: Committer['onTurn'] = () => Promise.resolve(false)
  onTurnOver: Committer['onTurnOver'] = () => {}
  onCompacted: Committer['onCompacted'] = () => {}
  readonly #log: Log
  readonly #index: IndexWriter
  readonly #follower: IndexFollower
  readonly #options: ChainWriterOptions
  #waiting: Waiting[] = []
  /** The last batch that others may read from the log: what is sealed behind it may be written still. */
  #head: Pick<AppendedBatch, 'sequence' | 'digest'> | undefined
  /** The last commit begun, and how many have not ended: two at most, one sealed while the other is written. */
  #lastCommit: Promise<void> = Promise.resolve()
  #underWay = 0
  /** Nothing begins while there are any: a commit that is about to take what waits, runs that are being taken in. */
  #holds = 0
  #failure: Error | undefined
  #isClosed = false
  #lastTransaction = 0
  readonly #forgettingAttempts: ForgettingAttempts = { failed: undefined }
  #compactor: Compactor | undefined
  #compaction: Promise<CompactionReport> | undefined
  readonly #closing = settledLater()

  private constructor(log: Log, index: IndexWriter, memtable: Memtable, options: ChainWriterOptions) {
    const { store, nextTurn, onNotice = () => undefined } = options
    this.#log = log
    this.#head = log.head
    this.#index = index
    this.#options = options
    const makeDurable = (): Promise<unknown> => log.append([], true)
    const onIndexed: Committer['onIndexed'] = (transaction, leaves) => this.onIndexed(transaction, leaves)
    this.#follower = new IndexFollower({ index, store, makeDurable, onIndexed, onNotice, nextTurn }, memtable)
  }

  /** Opens the log, brings the index up to it, and resolves when both agree. */
  static async open(options: ChainWriterOptions): Promise<ChainWriter> {
    const { crypto, keys, store } = options
    const index = new IndexWriter(store, new LeafSeal(crypto, keys), crypto, keys)
    // A rolled back or damaged log may be behind its index, which must then be made anew from what there is.
    // One that names no point (disowned, another chain's, broken) may hold anything.
    if (options.acceptRollback === true || options.allowDamage === true || index.state.point === undefined)
      index.clear()
    else if (store.sizeBytes() <= VERIFIED_FIRST_BYTES && !runSteps(verifySafely(index))) {
      options.onNotice?.('The index is damaged and is rebuilt from the log.')
      index.clear()
    }
    const from = index.state.point
    const intake = new ReplayIntake(index, options)
    const { log, pointAccepted, anchorMissing } = await openLog({
      ...options,
      ...(from === undefined ? {} : { from }),
      onBatch: async (batch) => {
        await options.beforeBatch?.()
        await intake.take(batch)
      },
      judged: () => intake.takeJudged(),
      onEnd: () => intake.end(),
    }).catch((error: unknown) => {
      // Content that no later batch drops is known for damage at the end only: the next open must meet it again.
      if (intake.isIndexAhead && errorCode(error) === 'CHAIN_DAMAGED') index.clear()
      throw error
    })
    if (from !== undefined && !pointAccepted && intake.count === 0) intake.beginAnew()
    if (from !== undefined && !pointAccepted) options.onNotice?.('The index did not belong to the log and was rebuilt.')
    if (anchorMissing)
      options.onNotice?.('No anchor was found on this machine: a rolled back log cannot be told from this one.')
    return new ChainWriter(log, index, intake.memtable, options)
  }

  /** First number that no group of this chain has; the session's numbers start there. */
  get nextGroup(): number {
    return this.#follower.nextGroup
  }

  get trust(): ChainTrust {
    return this.#log.trust
  }

  get status(): WriterStatus {
    const head = this.#head
    const { isStalled, sizeBytes } = this.#follower
    return {
      headSequence: head?.sequence ?? 0,
      headDigest: head?.digest ?? new Uint8Array(32),
      durableSequence: Math.min(this.#log.durableSequence, head?.sequence ?? 0),
      logBytes: this.#log.sizeBytes(),
      indexBytes: sizeBytes,
      availableBytes: isStalled ? 0 : this.#log.availableBytes(false),
      availableEssentialBytes: isStalled ? 0 : this.#log.availableBytes(true),
    }
  }

  submit(request: CommitRequest): Promise<CommitReceipt> {
    if (this.#isClosed) return Promise.reject(new AteError('CHAIN_CLOSED', 'the chain is closed'))
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#lastTransaction = request.transaction
    if (this.#compactor !== undefined) noteRecords(request, this.#compactor)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, bytes: requestBytes(request), resolve, reject })
      this.#commitWaiting()
    })
  }

  receive(...[request, ...how]: Parameters<Committer['receive']>): Promise<void> {
    if (this.#isClosed) return Promise.reject(new AteError('CHAIN_CLOSED', 'the chain is closed'))
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    // A run follows what there is: it goes behind all commits that came before it, and no later one overtakes it.
    if (this.#waiting.some(({ request: { groups } }) => groups.length > 0)) return Promise.reject(overtaking())
    this.#lastTransaction = request.transaction
    this.#underWay++
    this.#holds++
    const received = this.#lastCommit.then(() => this.#receive(request, ...how))
    const onEnd = (): void => {
      this.#underWay--
      this.#holds--
      this.#commitWaiting()
    }
    this.#lastCommit = received.then(onEnd, onEnd)
    return received
  }

  async rotate(): Promise<WriterStatus> {
    await this.#log.rotate()
    return this.status
  }

  async makeRoom(): Promise<WriterStatus> {
    await this.#log.makeRoom()
    return this.status
  }

  /** The reader on the other thread has seen what `onIndexed` told. */
  noteIndexSeen(): void {
    this.#follower.noteSeen()
  }

  /** Writes what the index lacks although it is little: called when nothing happens for a while. False: nothing to do. */
  flushIndex(): boolean {
    return this.#follower.flushSoon()
  }

  /**
   * Verifies the whole index while nothing else is to do. Undefined when other work came first; false when the index is
   * not what was written last: it is disowned then, and nothing more should be read from it.
   */
  async verifyIndex(): Promise<boolean | undefined> {
    const steps = verifySafely(this.#index)
    for (;;) {
      if (this.#underWay > 0 || !this.#follower.isIdle || this.#isClosed) return undefined
      const { done, value } = steps.next()
      if (done === true) {
        if (!value) disownSafely(this.#index)
        return value
      }
      await this.#options.nextTurn?.()
    }
  }

  /** Resolves with what was dropped. NOT_SUPPORTED, NO_SPACE (nothing has changed), or what `Compactor.run` throws. */
  compact(isShared: boolean): Promise<CompactionReport> {
    this.#compaction ??= this.#compact(isShared).finally(() => {
      this.#compactor = undefined
      this.#compaction = undefined
      this.onCompacted(this.status)
    })
    return this.#compaction
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closing.settle()
    await this.#compaction?.catch(() => undefined)
    while (this.#underWay > 0) await this.#lastCommit
    await this.#follower.stop()
    try {
      if (!this.#options.readOnly) await this.#log.append([], true)
      this.#follower.finish()
    } catch (error) {
      // The log has it all: the next open replays it.
      const code = errorCode(error) ?? 'unexpected'
      this.#options.onNotice?.(`The index could not be written (${code}); it is brought up to date when next opened.`)
    }
    await this.#log.close()
  }

  async #compact(isShared: boolean): Promise<CompactionReport> {
    const {
      storage,
      crypto,
      keys,
      store,
      findReferences,
      readOnly,
      judge,
      nextTurn = () => Promise.resolve(),
    } = this.#options
    const isDistributed = this.trust === 'distributed'
    // What others would refuse counts in an index that was made without judging.
    const isUnjudged = isDistributed && judge === undefined
    if (readOnly || isUnjudged || findReferences === undefined || store.view === undefined)
      throw new AteError('NOT_SUPPORTED', 'this chain cannot be compacted here')
    const transaction = (): Pick<CommitRequest, 'transaction' | 'isDurable'> => ({
      transaction: this.#lastTransaction,
      isDurable: true,
    })
    const isClosing = this.#closing.settled.then((): false => false)
    this.#compactor = new Compactor({
      store,
      storage,
      judge: { crypto, keys, author: authorOf(this.trust, crypto, keys.author) },
      seal: new LeafSeal(crypto, keys),
      crypto,
      keys,
      log: this.#log,
      follower: this.#follower,
      freer: new SpaceFreer(storage),
      attempts: this.#forgettingAttempts,
      findReferences,
      settle: () => this.submit({ ...transaction(), groups: [] }),
      append: (group) => this.submit({ ...transaction(), groups: [group] }),
      mayForget: !isShared && !isDistributed,
      inTurn: isShared ? (drop) => this.#inTurn(drop, isClosing) : undefined,
      mayDrop: (...wanted) => Promise.race([this.onDropping(...wanted), isClosing]),
      rewrite: (work) => Promise.race([this.onRepacking(work), isClosing]),
      nextTurn,
      isStopped: () => this.#isClosed,
    })
    return await this.#compactor.run()
  }

  async #inTurn(drop: () => Promise<Dropped>, isClosing: Promise<false>): Promise<Dropped | undefined> {
    const turn = this.onTurn()
    if (!(await Promise.race([turn, isClosing]))) {
      void turn.then((isGiven) => (isGiven ? this.onTurnOver(this.status, []) : undefined))
      return undefined
    }
    let dropped: Dropped = []
    try {
      return (dropped = await drop())
    } finally {
      this.onTurnOver(this.status, dropped)
    }
  }

  /** What waits goes together; while it is sealed and written, more gathers. */
  #commitWaiting(): void {
    while (this.#waiting.length > 0 && this.#mayBegin) {
      this.#underWay++
      this.#lastCommit = this.#commit(this.#lastCommit).finally(() => {
        this.#underWay--
        this.#commitWaiting()
      })
    }
  }

  /** What must be durable gains nothing by being second, and gathers more when it waits. */
  get #mayBegin(): boolean {
    if (this.#holds > 0) return false
    return this.#underWay === 0 || (this.#underWay === 1 && !this.#waiting.some(({ request }) => request.isDurable))
  }

  async #commit(before: Promise<void>): Promise<void> {
    const { nextTurn } = this.#options
    if (nextTurn !== undefined && this.trust === 'distributed') {
      // What has been sent to this thread is read before: to sign once for several commits saves milliseconds each.
      this.#holds++
      await nextTurn()
      this.#holds--
    }
    const taken = takeFirst(this.#waiting, GROUP_COMMIT_BYTES)
    const drafts = taken.filter(({ request }) => request.groups.length > 0).map(({ request }) => request)
    const isDurable = taken.some(({ request }) => request.isDurable)
    let appended: AppendedBatch[]
    try {
      appended = await this.#log.append(drafts, isDurable)
    } catch (error) {
      // A later transaction may refer to this one: without it there is no prefix any more, whatever the reason.
      this.#failure ??= error instanceof Error ? error : new AteError('WRITE_FAILED', 'the log could not be written')
      for (const { reject } of [...taken, ...this.#waiting.splice(0)]) reject(this.#failure)
      return
    } finally {
      await before
    }
    this.#takeIn(taken, appended)
  }

  async #receive(...[request, onKept, verified]: Parameters<Committer['receive']>): Promise<void> {
    const parts = { log: this.#log, follower: this.#follower, compactor: () => this.#compactor }
    const onAppended = (appended: readonly AppendedBatch[], last: AppendedBatch | undefined): void => {
      this.#head = last ?? this.#head
      onKept({ transaction: request.transaction, places: appended.flatMap(bodyPlaces), status: this.status })
    }
    try {
      await takeInRun(parts, request, onAppended, verified)
    } catch (error) {
      if (errorCode(error) === 'WRITE_FAILED' && error instanceof Error) this.#failure ??= error
      throw error
    }
  }

  #takeIn(taken: readonly Waiting[], appended: AppendedBatch[]): void {
    this.#head = appended.at(-1) ?? this.#head
    const { status } = this
    for (const { request, resolve } of taken) {
      const batch = request.groups.length === 0 ? undefined : appended.shift()
      resolve({ transaction: request.transaction, places: batch === undefined ? [] : bodyPlaces(batch), status })
      if (batch === undefined) continue
      // A copy: the parts lie in memory that is reused once the receipt is out.
      const records = request.groups
        .filter((group) => group.kind === GROUP_RECORDS)
        .map((group) => concatBytes(...group.parts))
      this.#follower.add(request.transaction, records, batch, droppedBy(request))
    }
  }
}

function overtaking(): AteError {
  return new AteError('CONFLICT', 'Changes that are committed here go first: nothing is taken in before them.')
}
