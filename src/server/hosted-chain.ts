/** One chain of a server while it is open: its log, who follows it, and whose turn it is. */
import type { MemoryPool } from '../engine/bytes/memory-pool.js'
import { AteError, errorCode } from '../engine/error.js'
import { MAX_KEYRING_BYTES } from '../engine/limits.js'
import { freeDropped } from '../engine/chain/compaction/free-dropped.js'
import type { Pay } from '../engine/log/frame-places.js'
import type { NumberRange } from '../engine/log/types.js'
import type { ReceivedBatch } from '../engine/log/index.js'
import type { Point, SentContent, SignedHead } from '../sync/index.js'
import type { ChainStore } from './chain-stores.js'
import type { Counters } from './counters.js'
import { type DroppedState, loadDropped, saveDropped } from './dropped-file.js'
import { KEYRING_NAME } from './file-names.js'
import type { Follower, Followed } from './follower.js'
import { HeadSigning } from './head-signing.js'
import { ChainLocks } from './locks/chain-locks.js'
import type { ServerLimits, ServerNotice } from './options.js'
import type { VerifySignature } from '../engine/log/verify-signatures.js'
import { PendingDrops } from './pending-drops.js'
import type { ReaderMemory } from './reader-memory.js'
import { type BatchToSend, itemBytesOf, RecentBatches, toSend } from './recent-batches.js'
import { type ChainFacts, RelayLog, type RelayOptions } from './relay-log.js'
import type { ServerMemory } from './server-memory.js'
import type { StorageHealth } from './storage-health.js'
import { loadTurn, saveTurn } from './turn-file.js'
import { Turns, type TurnState } from './turns.js'
import { type TakenBatch, type Uploader, Uploads } from './uploads.js'
import { loadWriter, saveWriter } from './writer-file.js'
import { WriterGate } from './writer-gate.js'
import type { PublicKey, Signer, Timers } from '../wire/index.js'

export interface HostedOptions extends RelayOptions {
  readonly name: string
  readonly store: ChainStore
  readonly signer: Signer
  readonly verify: VerifySignature
  readonly timers: Timers
  readonly limits: ServerLimits
  readonly keepsDropped: boolean
  readonly counters: Counters
  readonly memory: ServerMemory
  readonly health: StorageHealth
  readonly onNotice: (notice: ServerNotice) => void
  /** It cannot go on: whoever wants the chain opens it anew. */
  readonly onFailed: (chain: HostedChain) => void
}

/** Who uses the chain: a channel of a connection. */
export interface ChainUser extends Uploader {
  readonly follower: Follower | undefined
  accepted(point: Point): void
  keyringChanged(keyring: Uint8Array): void
  /** The chain cannot go on. */
  failed(error: unknown): void
}

export class HostedChain implements Followed {
  readonly name: string
  readonly recent: RecentBatches
  readonly turns: Turns
  readonly uploads: Uploads
  readonly heads: HeadSigning
  readonly writers: WriterGate
  readonly locks: ChainLocks
  readonly users = new Set<ChainUser>()
  readonly #options: HostedOptions
  readonly #log: RelayLog
  #keyring: Uint8Array | null
  /** Resolves when none is under way. */
  #keyringChanges: Promise<void> = Promise.resolve()
  #point: Point
  readonly #drops: PendingDrops
  /** As it is noted. */
  #dropped: DroppedState
  /** No batch behind it drops what was told. */
  #keep: number

  private constructor(
    options: HostedOptions,
    log: RelayLog,
    keyring: Uint8Array | null,
    turn: TurnState,
    dropped: DroppedState,
    writer: PublicKey | undefined,
    locks: ChainLocks,
  ) {
    const { limits, timers, store, health, name } = options
    this.writers = new WriterGate({ ...options, key: writer, save: (key) => saveWriter(store.storage, key) })
    this.name = options.name
    this.#options = options
    this.#log = log
    this.#keyring = keyring
    this.#point = log.head
    this.locks = locks
    this.#dropped = dropped
    this.#keep = Math.min(dropped.keep, log.head.sequence)
    const passes = {
      free: (numbers: readonly NumberRange[], signal: AbortSignal) => this.#free(numbers, signal),
      done: (upTo: number) => this.#noteDropped(upTo),
    }
    this.#drops = new PendingDrops(passes, dropped.upTo)
    this.recent = new RecentBatches(limits.recentBytes)
    this.uploads = new Uploads({
      log,
      maxBytes: limits.waitingBytes,
      onDurable: (batches) => this.#onDurable(batches),
      onFailure: (error) => this.#onFailure(error),
      onNoSpace: (error) => health.failed(name, error),
    })
    this.turns = new Turns({
      timers,
      graceMs: limits.graceMs,
      waitMs: limits.turnWaitMs,
      state: turn,
      save: (state) => health.watch(name, saveTurn(store.storage, state)),
      settled: () => Promise.all([this.uploads.settled(), this.#keyringChanges]).then(() => undefined),
    })
    this.heads = new HeadSigning({
      ...options,
      chainId: log.facts.id,
      point: () => this.#point,
      onSigned: (head) => this.#onSigned(head),
    })
  }

  /** NOT_A_CHAIN where none was made; what `openLog` throws. */
  static async open(options: HostedOptions): Promise<HostedChain> {
    const { storage } = options.store
    const log = await RelayLog.open(options, options.store)
    try {
      const keyring = (await storage.readSmall(KEYRING_NAME, MAX_KEYRING_BYTES)) ?? null
      const [turn, dropped, writer] = [await loadTurn(storage), await loadDropped(storage), await loadWriter(storage)]
      return new HostedChain(options, log, keyring, turn, dropped, writer, await ChainLocks.open(options))
    } catch (error) {
      await log.close()
      throw error
    }
  }

  get facts(): ChainFacts {
    return this.#log.facts
  }

  get keyring(): Uint8Array | null {
    return this.#keyring
  }

  /** The last batch that is durable. */
  get point(): Point {
    return this.#point
  }

  get durableSequence(): number {
    return this.#point.sequence
  }

  get eagerBytes(): number {
    return this.#options.memory.eagerBytes
  }

  get readers(): ReaderMemory {
    return this.#options.memory.readers
  }

  get batchMemory(): MemoryPool {
    return this.#options.memory.batches
  }

  get sizeBytes(): number {
    return this.#log.sizeBytes
  }

  read(from: number, to: number, content: SentContent): AsyncGenerator<ReceivedBatch> {
    return this.#log.read(from, to, content)
  }

  /** As `RelayLog.bodies`; BAD_ARGUMENT for a batch that is not durable. */
  async bodies(sequence: number, numbers: readonly number[], pay: Pay): Promise<(Uint8Array | null)[]> {
    if (sequence > this.#point.sequence) throw new AteError('BAD_ARGUMENT', `The chain has no batch ${sequence}.`)
    return await this.#log.bodies(sequence, numbers, pay)
  }

  /** As `RelayLog.has`, of batches that are durable. */
  async has(point: Point, pay: Pay): Promise<boolean> {
    return await this.#log.has(point, pay)
  }

  noteSent(bytes: number): void {
    this.#options.counters.batchesSent++
    this.#options.counters.bytesSent += bytes
  }

  noteBodies(bodies: readonly (Uint8Array | null)[]): void {
    this.#options.counters.bytesSent += bodies.reduce((sum, body) => sum + (body?.length ?? 0), 0)
  }

  /** One after another; `demand` throws when it must not be changed any more. */
  async changeKeyring(keyring: Uint8Array, by: ChainUser, demand: () => void): Promise<void> {
    const change = this.#keyringChanges.then(async () => {
      demand()
      const { health, store } = this.#options
      await health.watch(this.name, store.storage.replaceSmall(KEYRING_NAME, keyring))
      this.#keyring = keyring
      for (const user of this.users) if (user !== by) user.keyringChanged(keyring)
    })
    this.#keyringChanges = change.catch(() => undefined)
    await change
  }

  /**
   * Gives back the space of bodies, later: whoever asks waits only while much is to be given back. `upTo`: the batch up to which
   * everything dropped is told with this; 0: no more than before. Returns up to which it is done.
   */
  async drop(numbers: readonly NumberRange[], upTo: number): Promise<number> {
    if (this.#options.keepsDropped) return this.#point.sequence
    // What is told in parts is of a batch that was accepted before.
    if (numbers.length > 0) this.#keep = Math.max(this.#keep, upTo > 0 ? upTo : this.#point.sequence)
    if (numbers.length > 0 || upTo > this.#dropped.upTo) await this.#drops.add(numbers, upTo)
    return this.#dropped.upTo
  }

  async #free(numbers: readonly NumberRange[], signal: AbortSignal): Promise<boolean> {
    try {
      const isClosed = await this.#closeSegment()
      await this.#log.allowDrops()
      // First: the chain must not be cut between what is gone and the batch that drops it.
      await this.#saveDropped({ upTo: this.#dropped.upTo, keep: this.#keep })
      await freeDropped(this.#log.source, { numbers, before: this.#point.sequence }, signal)
      return isClosed
    } catch (error) {
      if (!signal.aborted) this.#notice('warn', 'Space of the log could not be given back.', error)
      return false
    }
  }

  /** False where the disk has no room for another: what lies in closed segments can be given back all the same, and makes some. */
  async #closeSegment(): Promise<boolean> {
    try {
      await this.#log.closeSegment()
      return true
    } catch (error) {
      if (errorCode(error) === 'NO_SPACE') return false
      throw error
    }
  }

  async #noteDropped(upTo: number): Promise<void> {
    try {
      await this.#saveDropped({ upTo: Math.max(upTo, this.#dropped.upTo), keep: this.#dropped.keep })
    } catch (error) {
      this.#notice('warn', 'It could not be noted which space of the log was given back.', error)
    }
  }

  async #saveDropped(state: DroppedState): Promise<void> {
    if (state.upTo === this.#dropped.upTo && state.keep === this.#dropped.keep) return
    await saveDropped(this.#options.store.storage, state)
    this.#dropped = state
  }

  /** Everything that was brought is durable, and whoever follows has the signed head. */
  async settle(): Promise<void> {
    await this.uploads.settled()
    this.#onSigned(await this.heads.current())
  }

  /** Everything that was brought is durable, and the log is closed. */
  async close(): Promise<void> {
    this.turns.close()
    await this.locks.close()
    await this.uploads.settled()
    this.heads.close()
    await this.#drops.close()
    await this.#log.close()
  }

  #onDurable(batches: readonly TakenBatch[]): void {
    const { counters, health } = this.#options
    health.worked(this.name)
    const writers = new Set<Uploader>()
    const news: BatchToSend[] = []
    for (const { batch, by } of batches) {
      const { sequence, digest } = batch
      this.#point = { sequence, digest }
      counters.batchesTaken++
      counters.bytesTaken += itemBytesOf(batch.bytes)
      if (this.#isFollowedBesides(by)) {
        const sent = toSend(batch)
        this.recent.add(sent)
        news.push(sent)
      } else {
        // Who comes to follow reads it from the log.
        this.recent.clear()
        this.batchMemory.giveBack(batch.bytes.head)
      }
      writers.add(by)
      for (const user of this.users) if (user === by) user.follower?.noteOwn(sequence)
    }
    for (const user of this.users) if (writers.has(user)) user.accepted(this.#point)
    // Who has written goes on while the others are told.
    queueMicrotask(() => this.#wakeFollowers(news))
    this.heads.note()
  }

  #wakeFollowers(news: readonly BatchToSend[]): void {
    for (const { follower } of this.users) follower?.wake()
    // Who reads slowly is served later: what is kept for him is kept once.
    for (const { all, none } of news) for (const part of [...all.parts, ...none.parts]) part.endSharing()
  }

  #isFollowedBesides(writer: Uploader): boolean {
    for (const user of this.users) if (user !== writer && user.follower !== undefined) return true
    return false
  }

  #onSigned(head: SignedHead): void {
    for (const { follower } of this.users) follower?.offer(head)
  }

  noteRefused(): void {
    this.#options.counters.batchesRefused++
  }

  #onFailure(error: unknown): void {
    this.#notice('error', 'The log of a chain cannot be written any more.', error)
    this.#options.health.failed(this.name, error)
    this.#options.onFailed(this)
    for (const user of this.users) user.failed(error)
  }

  #notice(level: ServerNotice['level'], message: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error)
    this.#options.onNotice({ level, message: `${message} ${why}`, chain: this.name })
  }
}
