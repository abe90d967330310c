/**
 * The writing side of a chain: makes transactions durable in the log, in order, and keeps the index following it.
 *
 * Commits waiting together are written together, with one sync. The index is flushed in slices between commits, so that an
 * fsync never waits for a flush. Everything the index takes in is durable in the log before.
 */
import { byteLength, concatBytes } from '../bytes/concat.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError, errorCode } from '../error.js'
import { IndexWriter } from '../index/index-writer.js'
import { LeafSeal } from '../index/leaf-seal.js'
import type { OrderedStore } from '../index/ordered-store.js'
import { type Log, openLog } from '../log/index.js'
import type { LogStorage } from '../log/storage.js'
import {
  type AnchorStore,
  type AppendedBatch,
  type Finding,
  GROUP_CONTENT,
  GROUP_RECORDS,
  type LogPoint,
} from '../log/types.js'
import type { CommitReceipt, CommitRequest, Committer, WriterStatus } from './committer.js'
import { Memtable } from './memtable.js'

/** Memory for records the index has not taken in; both threads hold as much. */
const FLUSH_BYTES = 8 * 1024 * 1024
/** Above this nothing is accepted: the index cannot be written (a full disk), and memory is bounded. */
const STALLED_FLUSH_BYTES = 16 * FLUSH_BYTES
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
  acceptRollback?: boolean
  allowDamage?: boolean
  onFinding?: (finding: Finding) => void
  onProgress?: (doneBytes: number, totalBytes: number) => void
  onNotice?: (message: string) => void
  /** Given when the reader lives on another thread: lets this one take in other work, a turn of its event loop. */
  nextTurn?: () => Promise<void>
}

interface Waiting {
  request: CommitRequest
  bytes: number
  resolve: (receipt: CommitReceipt) => void
  reject: (error: unknown) => void
}

export class ChainWriter implements Committer {
  onIndexed: Committer['onIndexed'] = () => {}
  readonly #log: Log
  readonly #index: IndexWriter
  readonly #store: OrderedStore
  readonly #onNotice: (message: string) => void
  readonly #nextTurn: (() => Promise<void>) | undefined
  readonly #isReadOnly: boolean
  #memtable: Memtable
  #flushing: { memtable: Memtable; steps: Generator<void> } | undefined
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #isFlushWanted = false
  /** The reader has not seen the last flush yet: another one would change leaves under it. */
  #isReaderBehind = false
  #failure: Error | undefined
  #flushFailure: unknown
  #indexBytes = 0
  #isClosed = false

  private constructor(
    log: Log,
    index: IndexWriter,
    store: OrderedStore,
    memtable: Memtable,
    options: ChainWriterOptions,
  ) {
    this.#log = log
    this.#index = index
    this.#store = store
    this.#memtable = memtable
    this.#onNotice = options.onNotice ?? (() => {})
    this.#nextTurn = options.nextTurn
    this.#isReadOnly = options.readOnly
  }

  /** Opens the log, brings the index up to it, and resolves when both agree. */
  static async open(options: ChainWriterOptions): Promise<ChainWriter> {
    const { crypto, keys, store } = options
    const index = new IndexWriter(store, new LeafSeal(crypto, keys), crypto, keys)
    // A rolled back or damaged log may be behind its index, which must then be made anew from what there is.
    // One that names no point (disowned, another chain's, broken) may hold anything.
    if (options.acceptRollback === true || options.allowDamage === true || index.state.point === undefined)
      index.clear()
    else if (store.sizeBytes() <= VERIFIED_FIRST_BYTES && !isWhole(index)) {
      options.onNotice?.('The index is damaged and is rebuilt from the log.')
      index.clear()
    }
    let memtable = new Memtable(index.state.nextGroup)
    const from = index.state.point
    let replayed = 0
    const { log, pointAccepted, anchorMissing } = await openLog({
      ...options,
      ...(from === undefined ? {} : { from }),
      onBatch: (batch) => {
        if (batch.sequence === 1 && from !== undefined) {
          index.clear()
          memtable = new Memtable(1)
        }
        replayed++
        memtable.addBatch(batch.records, batch.groups, pointBehind(batch))
        if (memtable.bytes < FLUSH_BYTES) return
        finish(flushSteps(index, memtable))
        memtable = new Memtable(memtable.nextGroup)
      },
    })
    if (from !== undefined && !pointAccepted && replayed === 0) {
      index.clear()
      memtable = new Memtable(1)
    }
    if (from !== undefined && !pointAccepted) options.onNotice?.('The index did not belong to the log and was rebuilt.')
    if (anchorMissing)
      options.onNotice?.('No anchor was found on this machine: a rolled back log cannot be told from this one.')
    const writer = new ChainWriter(log, index, store, memtable, options)
    if (memtable.point !== undefined) writer.#flushAll()
    index.takeChangedLeaves()
    writer.#indexBytes = store.sizeBytes()
    return writer
  }

  /** First number that no group of this chain has; the session's numbers start there. */
  get nextGroup(): number {
    return Math.max(this.#index.state.nextGroup, this.#memtable.nextGroup)
  }

  get status(): WriterStatus {
    const { head } = this.#log
    const isStalled = this.#flushFailure !== undefined && this.#memtable.bytes > STALLED_FLUSH_BYTES
    return {
      headSequence: head?.sequence ?? 0,
      headDigest: head?.digest ?? new Uint8Array(32),
      durableSequence: this.#log.durableSequence,
      logBytes: this.#log.sizeBytes(),
      indexBytes: this.#indexBytes,
      availableBytes: isStalled ? 0 : this.#log.availableBytes(false),
      availableEssentialBytes: isStalled ? 0 : this.#log.availableBytes(true),
    }
  }

  submit(request: CommitRequest): Promise<CommitReceipt> {
    if (this.#isClosed) return Promise.reject(new AteError('CHAIN_CLOSED', 'the chain is closed'))
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, bytes: requestBytes(request), resolve, reject })
      this.#start()
    })
  }

  async makeRoom(): Promise<WriterStatus> {
    await this.#log.makeRoom()
    return this.status
  }

  /** The reader on the other thread has seen what `onIndexed` told. */
  noteIndexSeen(): void {
    this.#isReaderBehind = false
    if (this.#isFlushWanted) this.#start()
  }

  /** Writes what the index lacks although it is little: called when nothing happens for a while. False: nothing to do. */
  flushIndex(): boolean {
    if (this.#memtable.point === undefined || this.#isClosed) return false
    this.#isFlushWanted = true
    this.#start()
    return true
  }

  /**
   * Verifies the whole index while nothing else is to do. Undefined when other work came first; false when the index is
   * not what was written last: it is disowned then, and nothing more should be read from it.
   */
  async verifyIndex(): Promise<boolean | undefined> {
    const steps = this.#index.verify()
    for (;;) {
      if (this.#running !== undefined || this.#isClosed) return undefined
      const outcome = nextOutcome(steps)
      if (outcome === false) this.#disownIndex()
      if (outcome !== undefined) return outcome
      await this.#nextTurn?.()
    }
  }

  #disownIndex(): void {
    try {
      this.#index.disown()
    } catch {
      // So broken that it cannot be written to: whoever opens it next sees that as well.
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#running
    try {
      if (!this.#isReadOnly) await this.#log.append([], true)
      if (this.#flushing !== undefined) finish(this.#flushing.steps)
      if (this.#memtable.point !== undefined) this.#flushAll()
    } catch (error) {
      // The log has it all: the next open replays it.
      this.#onNotice(
        `The index could not be written (${errorCode(error) ?? 'unexpected'}); it is brought up to date when next opened.`,
      )
    }
    await this.#log.close()
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#waiting.length > 0) this.#start()
    })
  }

  /** One turn per loop: all commits waiting, then one slice of the index. */
  async #run(): Promise<void> {
    while (this.#waiting.length > 0 || this.#flushing !== undefined || this.#canBeginFlush) {
      if (this.#waiting.length > 0) await this.#commitWaiting()
      if (this.#canBeginFlush) await this.#beginFlush()
      if (this.#flushing === undefined) continue
      // Alone with the reader on one thread, or far behind: to the end at once.
      while (!this.#flushSlice() && this.#mustFinishFlush);
      await this.#nextTurn?.()
    }
  }

  get #canBeginFlush(): boolean {
    return this.#isFlushWanted && !this.#isReaderBehind
  }

  get #mustFinishFlush(): boolean {
    return this.#nextTurn === undefined || this.#memtable.bytes > 2 * FLUSH_BYTES
  }

  async #commitWaiting(): Promise<void> {
    const taken = this.#takeWaiting()
    const drafts = taken.filter(({ request }) => request.groups.length > 0).map(({ request }) => request)
    let appended: AppendedBatch[]
    try {
      const isDurable = taken.some(({ request }) => request.isDurable)
      appended = await this.#log.append(drafts, isDurable)
    } catch (error) {
      // A later transaction may refer to this one: without it there is no prefix any more, whatever the reason.
      this.#failure = error instanceof Error ? error : new AteError('WRITE_FAILED', 'the log could not be written')
      for (const { reject } of [...taken, ...this.#waiting.splice(0)]) reject(this.#failure)
      return
    }
    const { status } = this
    for (const { request, resolve } of taken) {
      const batch = request.groups.length === 0 ? undefined : appended.shift()
      resolve({ transaction: request.transaction, places: batch === undefined ? [] : bodyPlaces(batch), status })
      if (batch === undefined) continue
      // A copy: the parts lie in memory that is reused once the receipt is out.
      const records = request.groups
        .filter((group) => group.kind === GROUP_RECORDS)
        .map((group) => concatBytes(...group.parts))
      this.#memtable.addBatch(records, batch.groups, pointBehind(batch))
      this.#memtable.transaction = request.transaction
    }
    if (this.#memtable.bytes >= FLUSH_BYTES) this.#isFlushWanted = true
  }

  #takeWaiting(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes
      if (count > 0 && bytes > GROUP_COMMIT_BYTES) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  /** The index takes in only what is durable: it must never know more than the log after a crash. */
  async #beginFlush(): Promise<void> {
    this.#isFlushWanted = false
    if (this.#flushing !== undefined) return
    try {
      await this.#log.append([], true)
    } catch {
      // The log is broken; the next commit says so, and the next open replays what there is.
      return
    }
    const memtable = this.#memtable
    this.#memtable = new Memtable(memtable.nextGroup)
    this.#flushing = { memtable, steps: flushSteps(this.#index, memtable) }
  }

  /** True when nothing of the flush is left. */
  #flushSlice(): boolean {
    if (this.#flushing === undefined) return true
    const { memtable, steps } = this.#flushing
    try {
      if (steps.next().done !== true) return false
    } catch (error) {
      this.#keepUnflushed(memtable, error)
      return true
    }
    this.#flushing = undefined
    this.#flushFailure = undefined
    this.#indexBytes = this.#store.sizeBytes()
    this.#isReaderBehind = this.#nextTurn !== undefined
    this.onIndexed(memtable.transaction, this.#index.takeChangedLeaves())
    return true
  }

  /** A flush that failed is tried again with what came since: nothing is lost, the log has it. */
  #keepUnflushed(memtable: Memtable, error: unknown): void {
    this.#flushing = undefined
    this.#index.reload()
    if (this.#flushFailure === undefined)
      this.#onNotice(`The index could not be written (${errorCode(error) ?? 'unexpected'}); trying again.`)
    this.#flushFailure = error
    memtable.follow(this.#memtable)
    this.#memtable = memtable
  }

  #flushAll(): void {
    const memtable = this.#memtable
    finish(flushSteps(this.#index, memtable))
    this.#memtable = new Memtable(memtable.nextGroup)
    this.onIndexed(memtable.transaction, this.#index.takeChangedLeaves())
  }
}

/** Undefined when there are more steps. An index that cannot even be read is not whole. */
function nextOutcome(steps: Generator<void, boolean>): boolean | undefined {
  try {
    const step = steps.next()
    return step.done === true ? step.value : undefined
  } catch {
    return false
  }
}

function isWhole(index: IndexWriter): boolean {
  const steps = index.verify()
  for (;;) {
    const outcome = nextOutcome(steps)
    if (outcome !== undefined) return outcome
  }
}

function flushSteps(index: IndexWriter, memtable: Memtable): Generator<void> {
  if (memtable.point === undefined) throw new AteError('BAD_ARGUMENT', 'nothing to flush')
  return index.flush(memtable.overlay, memtable.point, memtable.nextGroup)
}

function finish(steps: Generator<void>): void {
  while (steps.next().done !== true);
}

function pointBehind(batch: AppendedBatch): LogPoint {
  return { sequence: batch.sequence, digest: batch.digest, segment: batch.segment, position: batch.endPosition }
}

function bodyPlaces(batch: AppendedBatch): CommitReceipt['places'] {
  return batch.groups
    .filter((group) => group.kind === GROUP_CONTENT)
    .map(({ number, random, segment, position, storedBytes }) => ({
      body: number,
      random,
      segment,
      position,
      storedBytes,
    }))
}

function requestBytes(request: CommitRequest): number {
  return request.groups.reduce((sum, group) => sum + byteLength(group.parts), 0)
}
