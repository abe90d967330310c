/**
 * The index following the log: holds what was committed since the last flush, and flushes it in slices between other work,
 * so that an fsync never waits for one. Everything the index takes in is durable in the log before.
 */
import { AteError, errorCode } from '../error.js'
import type { IndexWriter } from '../index/index-writer.js'
import type { LeafRecord } from '../index/leaf.js'
import type { OrderedStore } from '../index/ordered-store.js'
import type { AppendedBatch, LogPoint, NumberRange } from '../log/types.js'
import { runSteps } from '../run-steps.js'
import type { Committer } from './committer.js'
import { Memtable } from './memtable.js'

/** Memory for records the index has not taken in; both threads hold as much. */
export const FLUSH_BYTES = 6 * 1024 * 1024
/** Above this nothing is accepted: the index cannot be written (a full disk), and memory is bounded. */
const STALLED_BYTES = 16 * FLUSH_BYTES

export interface IndexFollowerOptions {
  index: IndexWriter
  store: OrderedStore
  /** Makes everything that was added durable. */
  makeDurable: () => Promise<unknown>
  onIndexed: Committer['onIndexed']
  onNotice: (message: string) => void
  /** Given when the reader lives on another thread: lets this one take in other work, a turn of its event loop. */
  nextTurn: (() => Promise<void>) | undefined
}

export class IndexFollower {
  readonly #index: IndexWriter
  readonly #options: IndexFollowerOptions
  #memtable: Memtable
  #flushing: { memtable: Memtable; steps: Generator<void> } | undefined
  #running: Promise<void> | undefined
  #isWanted = false
  /** The reader has not seen the last flush yet: another one would change leaves under it. */
  #isReaderBehind = false
  #isHeld = false
  #failure: unknown
  #sizeBytes = 0
  #isClosed = false

  /** `memtable`: what was replayed and is not flushed; it is, before anything else is added. */
  constructor(options: IndexFollowerOptions, memtable: Memtable) {
    this.#index = options.index
    this.#options = options
    this.#memtable = memtable
    if (memtable.point !== undefined) flushToEnd(this.#index, memtable)
    this.#memtable = new Memtable(memtable)
    this.#index.takeChangedLeaves()
    this.#sizeBytes = options.store.sizeBytes()
  }

  /** First number that no group of the chain has. */
  get nextGroup(): number {
    return Math.max(this.#index.state.nextGroup, this.#memtable.nextGroup)
  }

  /** What records that are not forgotten take in the log, in whole blocks. */
  get recordBytes(): number {
    return this.#memtable.recordBytes
  }

  /** Records that took so much are forgotten. */
  noteForgotten(recordBytes: number): void {
    this.#memtable.recordBytes = Math.max(0, this.#memtable.recordBytes - recordBytes)
  }

  /** Bytes of the index when it was last flushed. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** It cannot be flushed and holds all it may: nothing more must be committed. */
  get isStalled(): boolean {
    return this.#failure !== undefined && this.#memtable.bytes > STALLED_BYTES
  }

  /** Nothing of it is under way. */
  get isIdle(): boolean {
    return this.#running === undefined
  }

  /** Takes in a batch with the change streams it holds, and flushes when there is enough. */
  add(
    transaction: number,
    records: readonly Uint8Array[],
    batch: AppendedBatch,
    dropped: readonly NumberRange[],
  ): void {
    this.#memtable.addBatch(records, batch.groups, pointBehind(batch), dropped)
    this.#memtable.transaction = transaction
    if (this.#memtable.bytes < FLUSH_BYTES) return
    this.#isWanted = true
    this.#start()
  }

  /** Goes past a batch that is refused. */
  skip(transaction: number, batch: AppendedBatch): void {
    this.#memtable.addRefused(batch.groups, pointBehind(batch))
    this.#memtable.transaction = transaction
  }

  /** Flushes although it is little: false when there is nothing. */
  flushSoon(): boolean {
    if (this.#memtable.point === undefined || this.#isClosed) return false
    this.#isWanted = true
    this.#start()
    return true
  }

  /** The reader on the other thread has seen what `onIndexed` told. */
  noteSeen(): void {
    this.#isReaderBehind = false
    this.#start()
  }

  /** What is added from now on stays here until `release`. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.#start()
  }

  /** A flush that is under way has ended when it resolves; the next one may have begun. */
  async flushed(): Promise<void> {
    await this.#running
  }

  /** The index is as a flush left it: none is under way, and none has failed half-way. */
  get isWhole(): boolean {
    return this.#running === undefined && this.#failure === undefined
  }

  /** Every record put that the index has not taken in, when nothing is under way. */
  eachPut(visit: (record: LeafRecord) => void): void {
    for (const { bucket } of this.#memtable.overlay.buckets())
      for (const { kind, high, low, value } of bucket.nodes.values())
        if (value !== null) visit({ kind, high, low, value })
  }

  /** Nothing is under way any more when it resolves; what is held is for `finish`. */
  async stop(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  /** Flushes what is held: to be called after `stop`, when all of it is durable. Throws what the store threw. */
  finish(): void {
    if (this.#flushing !== undefined) runSteps(this.#flushing.steps)
    if (this.#memtable.point === undefined) return
    flushToEnd(this.#index, this.#memtable)
    this.#options.onIndexed(this.#memtable.transaction, this.#index.takeChangedLeaves())
  }

  #start(): void {
    if (!this.#isDue) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      this.#start()
    })
  }

  get #isDue(): boolean {
    return this.#isWanted && !this.#isReaderBehind && !this.#isHeld && !this.#isClosed
  }

  async #run(): Promise<void> {
    await this.#begin()
    while (this.#flushing !== undefined) {
      // Alone with the reader on one thread, or far behind: to the end at once.
      while (!this.#slice() && this.#mustFinish);
      await this.#options.nextTurn?.()
    }
  }

  get #mustFinish(): boolean {
    return this.#options.nextTurn === undefined || this.#memtable.bytes > 2 * FLUSH_BYTES
  }

  /** The index takes in only what is durable: it must never know more than the log after a crash. */
  async #begin(): Promise<void> {
    this.#isWanted = false
    const memtable = this.#memtable
    this.#memtable = new Memtable(memtable)
    try {
      await this.#options.makeDurable()
    } catch {
      // The log is broken; the next commit says so, and the next open replays what there is.
      this.#putBack(memtable)
      return
    }
    this.#flushing = { memtable, steps: flushSteps(this.#index, memtable) }
  }

  /** True when nothing of the flush is left. */
  #slice(): boolean {
    if (this.#flushing === undefined) return true
    const { memtable, steps } = this.#flushing
    try {
      if (steps.next().done !== true) return false
    } catch (error) {
      this.#keepUnflushed(memtable, error)
      return true
    }
    this.#flushing = undefined
    this.#failure = undefined
    this.#sizeBytes = this.#options.store.sizeBytes()
    this.#isReaderBehind = this.#options.nextTurn !== undefined
    this.#options.onIndexed(memtable.transaction, this.#index.takeChangedLeaves())
    return true
  }

  /** A flush that failed is tried again with what came since: nothing is lost, the log has it. */
  #keepUnflushed(memtable: Memtable, error: unknown): void {
    this.#flushing = undefined
    this.#index.reload()
    if (this.#failure === undefined)
      this.#options.onNotice(`The index could not be written (${errorCode(error) ?? 'unexpected'}); trying again.`)
    this.#failure = error
    this.#putBack(memtable)
  }

  #putBack(memtable: Memtable): void {
    memtable.follow(this.#memtable)
    this.#memtable = memtable
  }
}

/** Where the log goes on behind `batch`. */
export function pointBehind(batch: AppendedBatch): LogPoint {
  return { sequence: batch.sequence, digest: batch.digest, segment: batch.segment, position: batch.endPosition }
}

/** Flushes to the end what was replayed. */
export function flushToEnd(index: IndexWriter, memtable: Memtable): void {
  runSteps(flushSteps(index, memtable))
}

function flushSteps(index: IndexWriter, memtable: Memtable): Generator<void> {
  if (memtable.point === undefined) throw new AteError('BAD_ARGUMENT', 'nothing to flush')
  return index.flush(memtable.overlay, memtable.point, memtable)
}
