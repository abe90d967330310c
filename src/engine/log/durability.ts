/**
 * How far the medium is known to hold the log, and what brings it further: a sync that is waited for, or one behind the
 * back of a thread that goes on sealing. After a failed sync no later one proves anything, so none counts.
 */
import type { ChainState } from './chain-state.js'
import type { SegmentAppender } from './segment-appender.js'

/** Bytes appended that may wait for the medium: a commit that must be durable waits for no more than these. */
const MAX_UNSYNCED_BYTES = 32 * 1024 * 1024

export class Durability {
  readonly #onDurable: (state: ChainState) => void
  readonly #onAwaited: (segment: SegmentAppender, bytes: number) => void
  #appended: ChainState
  #durable: ChainState
  #appendedBytes = 0
  #durableBytes = 0
  #background: Promise<void> | undefined
  #failure: { cause: unknown } | undefined
  readonly #restMs: number
  /** From one sync behind to the next; then `#waiting` is synced. */
  #rest: ReturnType<typeof setTimeout> | undefined
  #waiting: SegmentAppender | undefined

  /**
   * `onDurable` is called with each new durable state, `onAwaited` after each sync of `bytes` that somebody waited for. Syncs
   * behind begin `restMs` after each other at least.
   */
  constructor(
    state: ChainState,
    onDurable: (state: ChainState) => void,
    onAwaited: (segment: SegmentAppender, bytes: number) => void,
    restMs = 0,
  ) {
    this.#appended = state
    this.#durable = state
    this.#onDurable = onDurable
    this.#onAwaited = onAwaited
    this.#restMs = restMs
  }

  get sequence(): number {
    return this.#durable.sequence
  }

  noteAppended(state: ChainState, bytes: number): void {
    this.#appended = state
    this.#appendedBytes += bytes
  }

  /** Everything appended is durable when it resolves. Throws what the storage threw, now or earlier. */
  async sync(segment: SegmentAppender | undefined): Promise<void> {
    if (this.#durable !== this.#appended) {
      const state = this.#appended
      const bytes = this.#appendedBytes
      if (segment !== undefined) await this.force(segment)
      // The system tells a failure once: it may have told the sync behind.
      await this.#background
      const before = this.#durableBytes
      this.#noteDurable(state, bytes)
      this.#tellAwaited(segment, before)
    }
    this.#demandSound()
  }

  /** The medium has all of the segment when it resolves, whatever is known of it. */
  async force(segment: SegmentAppender): Promise<void> {
    try {
      await segment.sync()
    } catch (cause) {
      this.#failure ??= { cause }
      throw cause
    }
  }

  /** As `sync`, and no sync is under way any more: the segment can be closed. */
  async settle(segment: SegmentAppender | undefined): Promise<void> {
    await this.quiesce()
    await this.sync(segment)
  }

  /** No sync is under way any more, and none begins by itself, whatever came of it: the segment can be let go. */
  async quiesce(): Promise<void> {
    this.#waiting = undefined
    clearTimeout(this.#rest)
    this.#rest = undefined
    await this.#background
  }

  /** Lets the medium take in what was appended; waits only when too much lies behind. */
  async syncBehind(segment: SegmentAppender): Promise<void> {
    if (this.#appendedBytes - this.#durableBytes > MAX_UNSYNCED_BYTES) await this.#background
    this.#demandSound()
    const isMuch = this.#appendedBytes - this.#durableBytes > MAX_UNSYNCED_BYTES / 2
    // What is under way may have begun before this was appended.
    if (this.#restMs > 0 && (this.#background !== undefined || (this.#rest !== undefined && !isMuch))) {
      this.#waiting = segment
      this.#beginRest()
    } else this.beginBehind(segment)
  }

  /** Begins a sync, if none is under way. */
  beginBehind(segment: SegmentAppender): void {
    this.#background ??= this.#startBehind(segment)
    if (this.#restMs > 0) this.#beginRest()
  }

  #beginRest(): void {
    this.#rest ??= setTimeout(() => this.#endRest(), this.#restMs)
  }

  #endRest(): void {
    const segment = this.#waiting
    this.#rest = undefined
    if (segment === undefined || this.#failure !== undefined) return
    // One that is under way still may have begun before what waits was appended.
    if (this.#background === undefined) this.#waiting = undefined
    this.beginBehind(segment)
  }

  /** What was appended when it is called is durable when it resolves. Throws what the storage threw. */
  async reach(current: () => SegmentAppender | undefined): Promise<void> {
    const { sequence } = this.#appended
    for (;;) {
      this.#demandSound()
      const segment = current()
      if (this.#durable.sequence >= sequence || segment === undefined) return
      const before = this.#durableBytes
      this.#background ??= this.#startBehind(segment)
      await this.#background
      this.#tellAwaited(segment, before)
    }
  }

  async #startBehind(segment: SegmentAppender): Promise<void> {
    const state = this.#appended
    const bytes = this.#appendedBytes
    try {
      await segment.syncInBackground()
      this.#noteDurable(state, bytes)
    } catch (cause) {
      this.#failure ??= { cause }
    } finally {
      this.#background = undefined
    }
  }

  #noteDurable(state: ChainState, bytes: number): void {
    // A sync that was asked for later may have been done first.
    if (this.#failure !== undefined || state.sequence <= this.#durable.sequence) return
    this.#durable = state
    this.#durableBytes = bytes
    this.#onDurable(state)
  }

  #tellAwaited(segment: SegmentAppender | undefined, before: number): void {
    if (segment !== undefined && this.#durableBytes > before) this.#onAwaited(segment, this.#durableBytes - before)
  }

  #demandSound(): void {
    if (this.#failure !== undefined) throw this.#failure.cause
  }
}
