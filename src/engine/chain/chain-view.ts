/**
 * The RecordView: current transaction and overlay over the index, bodies in memory over bodies in the log.
 * Lives on the thread that answers requests. What it hands to the committer it may still read (overlay, arenas), and
 * forgets when the receipt (bodies) or the index (records) has taken over.
 */
import { AteError, errorCode } from '../error.js'
import type { IndexReader } from '../index/index-reader.js'
import type { RecordKey } from '../index/record-key.js'
import { PROOF_ENTRY_BYTES } from '../log/format/proof-format.js'
import type { BatchBytes, BatchVerifier, ReceivedBatch } from '../log/index.js'
import { GROUP_CONTENT, GROUP_RECORDS, type GroupDraft } from '../log/types.js'
import { ArenaPool } from './arena.js'
import { type OpenBody, sharedBodyBytes } from './body-memory.js'
import type { BodiesElsewhere } from './body-place.js'
import { type BodyCacheOptions, BodyReader, type OpenGroup } from './body-reader.js'
import { changeStreams } from './change-streams.js'
import type { BodyReferences } from './compaction/body-references.js'
import type { CompactionReport } from './compaction/compaction-report.js'
import { CountedOverlay } from './compaction/counted-overlay.js'
import type { FindReferences } from './compaction/live-bodies.js'
import { putAgain, reserveForRewrite } from './compaction/repack.js'
import type { Repack, RewriteWork } from './compaction/rewrite-work.js'
import type { CommitReceipt, Committer, WriterStatus } from './committer.js'
import { numberBehind } from './group-numbers.js'
import { joinNeighbours } from './join-neighbours.js'
import { changesInto } from './overlay-sink.js'
import { bytesOfRun, RECORD_OVERHEAD_BYTES } from './log-bytes.js'
import { LogRoom } from './log-room.js'
import { notWritten } from './not-written.js'
import { OlderReaders, type OlderReadersOptions } from './older-readers.js'
import type { BodySlice, CommitView, ReceiveOptions, RecordItem, RecordView, ViewTrust } from './record-view.js'
import { refusedIn, withRefused } from './refused-batches.js'
import { TurnOfCompaction, type WriterTurn } from './writer-turn.js'

export interface ChainViewOptions extends OlderReadersOptions {
  index: IndexReader
  committer: Committer | undefined
  openGroup: OpenGroup
  /** Without it no batch from elsewhere is taken in. */
  verifyBatch?: BatchVerifier | undefined
  bodyCache?: BodyCacheOptions | undefined
  nextGroup: number
  status: WriterStatus
}

export class ChainView implements RecordView {
  readonly readOnly: boolean
  readonly #index: IndexReader
  readonly #committer: Committer | undefined
  readonly #bodies: BodyReader
  readonly #verifyBatch: BatchVerifier | undefined
  readonly #overlay: CountedOverlay
  readonly #arenas = new ArenaPool()
  readonly #room: LogRoom
  #transaction = 1
  #nextGroup: number
  #openBody: OpenBody | undefined
  #drafts: GroupDraft[] = []
  #pendingBytes = 0
  #inFlightBytes = 0
  #durableAtMs: number | undefined
  #lastCommit: Promise<void> = Promise.resolve()
  /** The last commit submitted makes itself and all before it durable. */
  #isLastDurable = true
  #failure: AteError | undefined
  readonly #readers: OlderReaders
  #repack: Repack | undefined
  #trust: ViewTrust | undefined
  /** Undefined: nobody else changes the chain. */
  #turn: WriterTurn | undefined
  #compaction: Promise<CompactionReport> | undefined
  /** Space of what was dropped in a shared chain is being given back. */
  #freeing: Promise<number> | undefined
  /** Settled when nobody copies segments. */
  #kept: Promise<unknown> = Promise.resolve()

  constructor(options: ChainViewOptions) {
    this.readOnly = options.committer === undefined
    this.#index = options.index
    this.#overlay = new CountedOverlay(options.index)
    this.#committer = options.committer
    this.#bodies = new BodyReader(options.openGroup, options.index, options.bodyCache)
    this.#verifyBatch = options.verifyBatch
    this.#nextGroup = options.nextGroup
    this.#room = new LogRoom(options.status, {
      committer: () => this.#demandCommitter(),
      unwrittenBytes: () => this.#pendingBytes + this.#inFlightBytes,
      lastCommit: () => this.#lastCommit,
      demandSound: () => this.#demandSound(),
    })
    this.#readers = new OlderReaders(options)
    if (options.committer === undefined) return
    options.committer.onIndexed = (transaction, leaves) => this.#forget(transaction, leaves)
    options.committer.onDropping = (bytes, outwaits) => this.#letDrop(bytes, outwaits)
    options.committer.onRepacking = (work) => this.#rewrite(work)
    const turn = new TurnOfCompaction(() => this.#turn)
    options.committer.onTurn = () => turn.take()
    options.committer.onTurnOver = (status, dropped) => {
      this.#bodies.noteDropped(this.#transaction, dropped)
      turn.end((this.#room.status = status))
    }
    options.committer.onCompacted = (status) => this.#room.noteCompacted(status)
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  get writerStatus(): WriterStatus {
    return this.#room.status
  }

  /** When the last receipt came, milliseconds since 1970. */
  get durableAtMs(): number | undefined {
    return this.#durableAtMs
  }

  get failure(): AteError | undefined {
    return this.#failure
  }

  get(kind: number, high: number, low: number): Uint8Array | undefined {
    return this.#overlay.latest.get(kind, high, low)
  }

  range(kind: number, high: number, from: number, to: number, limit: number): RecordItem[] {
    return this.#overlay.latest.range(kind, high, from, to, limit)
  }

  floor(kind: number, high: number, low: number): RecordItem | undefined {
    return this.#overlay.latest.floor(kind, high, low)
  }

  hasBody(body: number): boolean {
    return this.#bodies.has(body)
  }

  references(findReferences: FindReferences): BodyReferences {
    return this.#overlay.references(findReferences)
  }

  put(kind: number, high: number, low: number, value: Uint8Array): void {
    this.#overlay.put(this.#transaction, kind, high, low, value)
    this.#pendingBytes += value.length + RECORD_OVERHEAD_BYTES
  }

  delete(kind: number, high: number, low: number): void {
    this.#overlay.put(this.#transaction, kind, high, low, null)
    this.#pendingBytes += RECORD_OVERHEAD_BYTES
  }

  deleteRange(kind: number, high: number, from: number, to: number): void {
    this.#overlay.deleteRange(this.#transaction, kind, high, from, to)
    this.#pendingBytes += RECORD_OVERHEAD_BYTES
  }

  stage(length: number): Uint8Array {
    this.#pendingBytes += length
    return this.#arenas.stage(length)
  }

  addBody(staged: Uint8Array, contentBytes = Infinity): BodySlice {
    let body = this.#openBody
    if (body === undefined || body.bytes + staged.length > sharedBodyBytes(contentBytes)) {
      this.#closeBody()
      body = { number: this.#nextGroup++, parts: [], bytes: 0 }
      this.#openBody = body
      this.#bodies.hold(body.number, body.parts)
    }
    const slice = { body: body.number, offset: body.bytes, length: staged.length }
    body.parts.push(staged)
    body.bytes += staged.length
    return slice
  }

  readBody(body: number): Uint8Array | Promise<Uint8Array> {
    return this.#bodies.read(body)
  }

  copyBody(slice: BodySlice, target: Uint8Array, targetStart: number): Promise<void> | undefined {
    return this.#bodies.copy(slice, target, targetStart)
  }

  reserve(bytes: number, essential: boolean): Promise<void> | undefined {
    return this.#turn?.acquire() ?? this.#room.reserve(bytes, essential)
  }

  commit({ isDurable, signers = this.#trust?.signers ?? [] }: CommitView = { isDurable: true }): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const committer = this.#committer
    const isCovered = this.#pendingBytes === 0 && (this.#isLastDurable || !isDurable)
    if (committer === undefined || isCovered) return this.#lastCommit
    this.#isLastDurable = isDurable
    const transaction = this.#transaction
    const groups = this.#finishTransaction()
    const arenas = this.#arenas.detach()
    const bytes = this.#pendingBytes + signers.length * PROOF_ENTRY_BYTES
    this.#pendingBytes = 0
    this.#inFlightBytes += bytes
    this.#transaction++
    this.#lastCommit = committer.submit({ transaction, groups, isDurable, signers }).then(
      (receipt) => {
        this.#inFlightBytes -= bytes
        this.#takeReceipt(receipt)
        this.#arenas.recycle(arenas)
      },
      (error: unknown) => {
        throw this.fail(error)
      },
    )
    // Whoever asked sees the rejection; for timer commits the failure is kept.
    this.#lastCommit.catch(() => {})
    return this.#lastCommit
  }

  async verifyRun(run: readonly BatchBytes[], mayMiss: boolean): Promise<ReceivedBatch[]> {
    this.#demandSound()
    if (this.#verifyBatch === undefined) throw new AteError('READ_ONLY', 'the chain takes in nothing from elsewhere')
    // With what is under way in the log, it is known what comes next.
    await this.commit({ isDurable: false })
    const { headSequence: sequence, headDigest: digest } = this.#room.status
    const batches: ReceivedBatch[] = []
    for (const bytes of run)
      batches.push(await this.#verifyBatch(bytes, { after: batches.at(-1) ?? { sequence, digest }, mayMiss }))
    return withRefused(batches, this.#trust?.judge(batches))
  }

  async receive(verified: readonly ReceivedBatch[], options: ReceiveOptions): Promise<void> {
    const { isDurable, mayMiss, apply } = options
    const run = withRefused(verified, options.refused)
    const bytes = run.map((batch) => batch.bytes)
    await this.#room.reserve(bytesOfRun(bytes), false)
    const transaction = (this.#transaction += run.length) - 1
    const onKept = (receipt: CommitReceipt): void => {
      this.#takeReceipt(receipt)
      for (const { groups, isRefused } of run) this.#nextGroup = numberBehind(this.#nextGroup, groups, isRefused)
      apply(changesInto(this.#overlay, transaction))
      this.#noteDropped(transaction, run)
    }
    const request = { transaction, run: bytes, isDurable, mayMiss, refused: refusedIn(run) }
    const kept = this.#demandCommitter().receive(request, onKept, verified)
    this.#isLastDurable &&= isDurable
    const before = this.#lastCommit // one that is refused at once does not wait for it
    void (this.#lastCommit = kept.catch(() => before)).catch(() => undefined)
    await kept.catch((error: unknown) => {
      throw errorCode(error) === 'WRITE_FAILED' ? this.fail(error) : error
    })
  }

  fetchWith(elsewhere: BodiesElsewhere): void {
    this.#bodies.elsewhere = elsewhere
  }

  shareWith(turn: WriterTurn): void {
    this.#turn = turn
  }

  keepBodiesFor(mark: () => () => boolean): void {
    this.#readers.add(mark)
  }

  trustWith(trust: ViewTrust): void {
    this.#trust = trust
  }

  repackWith(repack: Repack): void {
    this.#repack = repack
  }

  /** Everything committed so far lies in closed segments of the log when it resolves. NO_SPACE changes nothing. */
  async rotate(): Promise<void> {
    const committer = this.#demandCommitter()
    await this.commit()
    this.#room.status = await committer.rotate()
  }

  /** The last batch, when everything committed so far is durable. */
  async durableEnd(): Promise<{ sequence: number; digest: Uint8Array }> {
    do await this.commit()
    while (this.#room.status.headSequence !== this.#room.status.durableSequence)
    return { sequence: this.#room.status.headSequence, digest: this.#room.status.headDigest }
  }

  /** While `work` goes on, no space of the log is given back: files of closed segments stay as they are. */
  async keepSegments<T>(work: () => Promise<T>): Promise<T> {
    for (let end; (end = this.#compaction ?? this.#freeing) !== undefined;) await end.catch(() => undefined)
    const working = work()
    this.#kept = Promise.allSettled([this.#kept, working])
    return await working
  }

  /**
   * Gives the space of bodies back that nothing refers to. See `ChainWriter.compact`. Of a chain that others change too they are
   * dropped in turn, and the space goes at the server and everywhere (`WriterTurn.giveBack`).
   */
  async compact(): Promise<CompactionReport> {
    const committer = this.#demandCommitter()
    const turn = this.#turn
    this.#compaction ??= this.#kept
      .then(() => committer.compact(turn !== undefined))
      .finally(() => (this.#compaction = undefined))
    const report = await this.#compaction
    return turn === undefined ? report : { ...report, freedBytes: await turn.giveBack() }
  }

  isGone(body: number): boolean {
    return body < this.#nextGroup && !this.#bodies.has(body)
  }

  async giveBackWith(free: () => Promise<number>, signal: AbortSignal): Promise<number | undefined> {
    if (!(await this.#readers.outwait(() => this.#failure !== undefined || signal.aborted))) return undefined
    await this.rotate()
    for (let kept; kept !== this.#kept;) await (kept = this.#kept)
    this.#freeing = free().finally(() => (this.#freeing = undefined))
    return await this.#freeing
  }

  /** Somebody may still read what was not dropped then: also what the run itself has deleted. */
  #noteDropped(transaction: number, run: readonly ReceivedBatch[]): void {
    const dropped = run.flatMap((batch) => batch.dropped)
    if (dropped.length > 0) this.#bodies.noteDropped(transaction, dropped, this.#readers.mark())
    this.#turn?.onReceived(run)
  }

  async #rewrite({ again, ...work }: RewriteWork): Promise<boolean> {
    if (this.#failure !== undefined || this.#repack === undefined) return false
    try {
      await reserveForRewrite(this, { again, ...work })
      // From here on without a pause: what is put is what there is.
      const transaction = this.#transaction
      putAgain(this, again)
      await this.#repack(work)
      return this.#transaction > transaction || this.#pendingBytes === 0
    } catch {
      // Not enough space: nothing is moved. What failed is told by the commits that come after it.
      return false
    }
  }

  async #letDrop(bytes: number, outwaitsReaders: boolean): Promise<boolean> {
    const compaction = this.#compaction
    const isOver = (): boolean => this.#failure !== undefined || compaction !== this.#compaction
    if (outwaitsReaders && !(await this.#readers.outwait(isOver))) return false
    try {
      // The turn comes with the drop.
      await this.#room.reserve(bytes, true)
    } catch {
      return false
    }
    this.#room.setAside += bytes
    return true
  }

  #finishTransaction(): GroupDraft[] {
    this.#closeBody()
    const groups = this.#drafts
    for (const chunk of changeStreams(this.#overlay, this.#transaction, (length) => this.#arenas.stage(length)))
      groups.push({ kind: GROUP_RECORDS, number: this.#nextGroup++, parts: [chunk] })
    this.#drafts = []
    return groups
  }

  #closeBody(): void {
    const body = this.#openBody
    if (body === undefined) return
    joinNeighbours(body.parts)
    this.#drafts.push({ kind: GROUP_CONTENT, number: body.number, parts: body.parts })
    this.#openBody = undefined
  }

  #takeReceipt(receipt: CommitReceipt): void {
    this.#room.status = receipt.status
    if (receipt.status.durableSequence === receipt.status.headSequence) this.#durableAtMs = Date.now()
    this.#bodies.placed(receipt.transaction, receipt.places)
    this.#turn?.onAppended(receipt.status)
  }

  #forget(transaction: number, changedLeaves: readonly RecordKey[]): void {
    this.#index.refresh(changedLeaves)
    this.#overlay.forget(transaction)
    this.#bodies.forget(transaction)
  }

  fail(error: unknown): AteError {
    return (this.#failure ??= notWritten(error))
  }

  #demandSound(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #demandCommitter(): Committer {
    if (this.#committer === undefined) throw new AteError('READ_ONLY', 'the chain is open for reading only')
    return this.#committer
  }
}
