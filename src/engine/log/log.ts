/**
 * A log opened for writing or reading: appends batches durably. All changes go through one queue. A batch is accepted only
 * against reserved space; once the storage has failed under a write, nothing is accepted any more, because what the
 * medium holds is then unknown until it is opened again.
 */
import { AteError } from '../error.js'
import { type ChainState, stateAfter } from './chain-state.js'
import { Durability } from './durability.js'
import { trustOf } from './format/feature-flags.js'
import { encodeAnchor } from './format/anchor-format.js'
import type { Forgotten, SegmentEntry } from './format/manifest-format.js'
import { FrameBuilder } from './frame-builder.js'
import { FrameWriter } from './frame-writer.js'
import { GroupOpener } from './group-opener.js'
import { GroupSealer } from './group-sealer.js'
import type { LogParts } from './log-parts.js'
import type { ManifestFile } from './manifest-file.js'
import { NOTHING_SIGNED, type ProofPlan } from './proof-plan.js'
import {
  type BatchBytes,
  continueRun,
  frameBytesOf,
  framePieces,
  placedBatch,
  type ReceivedBatch,
  type ReceiveOptions,
  verifyRun,
  writeFrame,
} from './received-batch.js'
import { runBytes, wholeBytes } from './run-end.js'
import type { SegmentAppender } from './segment-appender.js'
import { SegmentSupply } from './segment-supply.js'
import { TaskQueue } from './task-queue.js'
import type { AppendedBatch, BatchDraft, ChainTrust, LogPoint } from './types.js'
import { WriteGate } from './write-gate.js'

/** Frames are gathered up to this much before they are written; a larger one is written alone. */
const WRITE_BYTES = 8 * 1024 * 1024 + 256 * 1024

/** What a server keeps as well is synced here now and then, not after each batch: both may lie on one disk. */
const COPY_REST_MS = 100

const NOTHING_FORGOTTEN: Forgotten = { sequence: 0, freed: 0 }

type Append = { appended: AppendedBatch[]; written: Promise<void> }

export class Log {
  readonly #parts: LogParts
  readonly #builder: FrameBuilder
  readonly #writer = new FrameWriter()
  readonly #durability: Durability
  readonly #sealer: GroupSealer
  readonly #opener: GroupOpener
  readonly #supply: SegmentSupply
  readonly #queue = new TaskQueue()
  readonly #gate = new WriteGate()
  #state: ChainState
  #head: LogPoint | undefined
  #isAnchorBroken = false
  #isClosed = false

  /** For `openLog`: what it learnt. */
  constructor(parts: LogParts) {
    this.#parts = parts
    this.#sealer = new GroupSealer(parts.crypto, parts.keys)
    this.#opener = new GroupOpener(parts.crypto, parts.keys)
    this.#builder = new FrameBuilder(parts.crypto, parts.keys, parts.author, this.#sealer)
    this.#state = parts.state
    this.#durability = new Durability(
      parts.state,
      (state) => this.#writeAnchor(state),
      (segment, bytes) => this.#noteAwaited(segment, bytes),
      parts.isServed === true ? COPY_REST_MS : 0,
    )
    this.#supply = new SegmentSupply({
      ...parts,
      nowMs: () => this.#now(),
      settle: (segment) => this.#gate.orFail(() => this.#settle(segment)),
    })
    this.#head = parts.head
  }

  /** The last batch, which may not be durable yet; undefined for an empty log. */
  get head(): LogPoint | undefined {
    return this.#head
  }

  /** Sequence of the last batch known to be on the medium; 0 for an empty log. */
  get durableSequence(): number {
    return this.#durability.sequence
  }

  get trust(): ChainTrust {
    return trustOf(this.#parts.manifest.current.format)
  }

  /** Bytes of the log, without what is reserved. */
  sizeBytes(): number {
    return this.#supply.sizeBytes
  }

  /** Bytes of frames (`bytesOf`) that can surely be appended now; `essential` counts the spare kept for deletions. */
  availableBytes(essential: boolean): number {
    if (!this.#gate.isOpen || this.#isClosed) return 0
    return this.#supply.availableBytes(essential)
  }

  /** Bytes that a batch takes in the log. BAD_ARGUMENT when it is above the limits. */
  bytesOf(batch: BatchDraft): number {
    return this.#builder.bytesOf(batch)
  }

  /** Segments that nothing is appended to any more, by their numbers. */
  closedSegments(): ReadonlyMap<number, SegmentEntry> {
    const { segments } = this.#parts.manifest.current
    return new Map(segments.filter(({ closing }) => closing !== undefined).map((entry) => [entry.number, entry]))
  }

  /** Which records may be gone. */
  get forgotten(): Forgotten {
    return this.#parts.manifest.current.forgotten ?? NOTHING_FORGOTTEN
  }

  /** Records of closed segments may be gone when it resolves, of which a durable batch says that they are forgotten. NO_SPACE. */
  setForgotten(forgotten: Forgotten): Promise<void> {
    return this.#changeManifest((manifest) => manifest.setForgotten(forgotten))
  }

  /** Programs that know no drops refuse the chain when it resolves: before the first is appended. NO_SPACE. */
  allowDrops(): Promise<void> {
    return this.#changeManifest((manifest) => manifest.allowDrops())
  }

  /**
   * Reserves more space, at least `needed` bytes beyond what is available. Throws NO_SPACE when the disk has none, and
   * then nothing has changed.
   */
  makeRoom(needed = 1): Promise<void> {
    return this.#queue.run(async () => {
      this.#demandWritable()
      await this.#gate.guard(() => this.#supply.makeRoom(needed, this.#state))
    })
  }

  /**
   * Appends batches in order; durable when it resolves or, with `isDurable` false, with the next append that is. None
   * with `isDurable`: everything is durable. Throws NO_SPACE when there is no room for them (nothing has changed),
   * BAD_ARGUMENT for a batch above the limits, WRITE_FAILED when the storage failed, now or before. While some that need
   * not be durable are written, the next ones are sealed: it need not be awaited to be called again.
   */
  async append(batches: readonly BatchDraft[], isDurable = true): Promise<AppendedBatch[]> {
    const { appended, written } = await this.#queue.run(() => this.#append(batches, isDurable))
    await written
    return appended
  }

  /** What was written when it is called is durable when it resolves; more may be written meanwhile. WRITE_FAILED. */
  async reachDurable(): Promise<void> {
    await this.#gate.orFail(async () => {
      await this.#writer.settled()
      await this.#durability.reach(() => this.#supply.current)
    })
  }

  /** What was appended lies in closed segments when it resolves, and what comes goes to another. NO_SPACE changes nothing. */
  rotate(): Promise<void> {
    return this.#queue.run(async () => {
      this.#demandWritable()
      await this.#gate.guard(() => this.#supply.rotate(this.#state))
    })
  }

  /**
   * Appends batches that were made elsewhere, as they are, to one segment. Throws what `verifyRun` and `accept` throw, or
   * NO_SPACE, when nothing has changed; WRITE_FAILED.
   */
  receive(run: readonly BatchBytes[], options: ReceiveOptions): Promise<AppendedBatch[]> {
    return this.#queue.run(() => this.#receive(run, options))
  }

  /** Waits for what is under way, gives reserved space back, closes the segment and syncs the anchor. */
  close(): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#isClosed) return
      this.#isClosed = true
      this.#sealer.wipe()
      this.#opener.wipe()
      try {
        await this.#finish()
        if (!this.#isAnchorBroken) this.#parts.anchor?.sync()
      } finally {
        this.#parts.anchor?.close()
      }
    })
  }

  #changeManifest(change: (manifest: ManifestFile) => Promise<void>): Promise<void> {
    return this.#queue.run(async () => {
      this.#demandWritable()
      await this.#gate.guard(() => change(this.#parts.manifest))
    })
  }

  async #append(batches: readonly BatchDraft[], isDurable: boolean): Promise<Append> {
    this.#demandWritable()
    if (batches.length === 0) {
      if (isDurable) await this.#gate.orFail(() => this.#sync())
      return { appended: [], written: Promise.resolve() }
    }
    const plans = this.#builder.plan(batches)
    const sizes = batches.map((batch, i) => this.#builder.bytesOf(batch, plans[i]))
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
    const segment = await this.#gate.guard(() => this.#supply.segmentFor(total, this.#state))
    // Even NO_SPACE ends it: the space was reserved, and frames may lie half-written behind the tail.
    return await this.#gate.orFail(async () => {
      const appended = await this.#seal(segment, batches, plans, sizes, isDurable)
      if (isDurable) await this.#sync()
      return { appended, written: this.#gate.orFail(() => this.#writer.settled()) }
    })
  }

  /** Builds the frames and begins to write them; room for them is there. */
  async #seal(
    segment: SegmentAppender,
    batches: readonly BatchDraft[],
    plans: readonly ProofPlan[],
    sizes: readonly number[],
    isDurable: boolean,
  ): Promise<AppendedBatch[]> {
    const appended: AppendedBatch[] = []
    const runs = runBytes(plans, sizes)
    const { durableSequence } = this
    const { number, salt } = segment
    let end = 0
    let lastAt = 0
    const begin = async (): Promise<void> => {
      const state = this.#state
      const bytes = end
      await this.#writer.begin(segment, bytes, lastAt, async () => {
        this.#durability.noteAppended(state, bytes)
        if (!isDurable) await this.#durability.syncBehind(segment)
      })
      end = 0
    }
    for (const [i, draft] of batches.entries()) {
      const [plan = NOTHING_SIGNED, bytes = 0, run = 0] = [plans[i], sizes[i], runs[i]]
      if (end > 0 && run > 0 && end + run > WRITE_BYTES) await begin()
      const buffer = this.#writer.buffer(end, end + bytes)
      const position = segment.tail + end
      const chain = { state: this.#state, durableSequence, timeMs: this.#now() }
      const context = { ...chain, segment: number, salt, position, plan }
      const { batch, state } = this.#builder.build(draft, context, buffer, end)
      appended.push(batch)
      this.#state = state
      this.#head = { sequence: batch.sequence, digest: batch.digest, segment: number, position: batch.endPosition }
      lastAt = end
      end += bytes
    }
    await begin()
    this.#supply.noteWritten()
    return appended
  }

  async #receive(run: readonly BatchBytes[], options: ReceiveOptions): Promise<AppendedBatch[]> {
    this.#demandWritable()
    const { isDurable, mayMiss, accept, verified } = options
    const judged = { judge: this.#parts, opener: this.#opener, after: this.#state, mayMiss }
    const batches = verified === undefined ? await verifyRun(judged, run) : continueRun(judged, verified)
    const accepting = accept(batches)
    if (accepting !== undefined) await accepting
    const total = run.reduce((sum, bytes) => sum + frameBytesOf(bytes), 0)
    const segment = await this.#gate.guard(async () => {
      const isMissing = batches.some(({ dropped, missing }) => dropped.length > 0 || missing.length > 0)
      if (isMissing) await this.#parts.manifest.allowDrops()
      return await this.#supply.segmentFor(total, this.#state)
    })
    return await this.#gate.orFail(async () => {
      const appended: AppendedBatch[] = []
      const wholes = wholeBytes(batches)
      for (const [i, batch] of batches.entries()) {
        // What it says to be durable must be: by that a torn end of the log is told from damage.
        const relied = this.#parts.isKeyless === true ? 0 : batch.head.batch.durableSequence
        if (relied > this.durableSequence) await this.#sync()
        if (relied > this.durableSequence) await this.#durability.force(segment)
        appended.push(await this.#writeReceived(segment, batch, isDurable, wholes[i] ?? 0))
      }
      if (isDurable) await this.#sync()
      return appended
    })
  }

  /** `whole` as in `wholeBytes`. */
  async #writeReceived(
    segment: SegmentAppender,
    batch: ReceivedBatch,
    isDurable: boolean,
    whole: number,
  ): Promise<AppendedBatch> {
    const total = frameBytesOf(batch.bytes)
    const { number, salt, tail } = segment
    const state = stateAfter(this.#parts.crypto, batch.head)
    const onWritten = async (): Promise<void> => {
      if (whole === 0) return
      this.#durability.noteAppended(state, whole)
      // A server asks for it when all that came together is written.
      if (!isDurable && this.#parts.isKeyless !== true) await this.#durability.syncBehind(segment)
    }
    const { crypto } = this.#parts
    if (batch.bytes.gaps === undefined) {
      writeFrame(crypto, this.#writer.buffer(0, total), salt, batch.bytes)
      await this.#writer.begin(segment, total, 0, onWritten)
    } else await this.#writer.beginSparse(segment, framePieces(crypto, salt, batch.bytes), total, onWritten)
    this.#supply.noteWritten()
    this.#state = state
    this.#head = { sequence: batch.sequence, digest: batch.digest, segment: number, position: tail + total }
    return placedBatch(batch, number, tail)
  }

  async #sync(): Promise<void> {
    await this.#writer.settled()
    await this.#durability.sync(this.#supply.current)
  }

  /** Everything is durable, and nothing is under way in the segment any more. */
  async #settle(segment: SegmentAppender | undefined): Promise<void> {
    await this.#writer.settled()
    await this.#durability.settle(segment)
  }

  /** The data is safe without it: a broken anchor is told, and the log goes on. */
  #writeAnchor(state: ChainState): void {
    if (this.#isAnchorBroken) return
    try {
      this.#parts.anchor?.write(encodeAnchor(this.#parts.crypto, this.#parts.keys, state))
    } catch {
      this.#isAnchorBroken = true
      this.#parts.onFinding({ kind: 'rollback', message: 'the anchor cannot be written: a rollback may go unnoticed' })
    }
  }

  async #finish(): Promise<void> {
    const segment = this.#supply.current
    if (this.#parts.isReadOnly) return
    try {
      if (this.#gate.isOpen) {
        await this.#gate.orFail(async () => {
          await this.#settle(segment)
          await this.#supply.finish(this.#state)
        })
      }
    } finally {
      if (!this.#gate.isOpen) {
        await this.#writer.settled().catch(() => undefined)
        await this.#durability.quiesce()
        await segment?.abandon()
      }
    }
  }

  /** What is zeroed ahead is zeroed later, so that who waits is answered first. */
  #noteAwaited(segment: SegmentAppender, bytes: number): void {
    if (!segment.noteSync(bytes)) return
    setTimeout(() => {
      void this.#queue
        .run(async () => {
          if (this.#isClosed || !this.#gate.isOpen || segment !== this.#supply.current) return
          await this.#gate.orFail(async () => {
            await this.#writer.settled()
            // Nobody waits for that: only who appends before it is done waits for the rest of it.
            if (await segment.zeroAhead()) this.#durability.beginBehind(segment)
          })
        })
        .catch(() => undefined)
    }, 0)
  }

  #now(): number {
    return Math.max(0, Math.floor(this.#parts.clock()))
  }

  #demandWritable(): void {
    if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The chain is closed.')
    if (this.#parts.isReadOnly) throw new AteError('READ_ONLY', 'The chain is open for reading only.')
    this.#gate.demandOpen()
  }
}
