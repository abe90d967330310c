/**
 * The space of bodies that the chain has dropped: the server is told which, and it is given back here. Both only when the batch that
 * drops them is accepted, for then it and all before it are part of the chain for good; and both from the log, so that what a crash
 * or a lost connection has interrupted is done again.
 */
import { BodySet } from '../engine/chain/compaction/body-set.js'
import { type DroppedNumbers, freeDropped } from '../engine/chain/compaction/free-dropped.js'
import type { RecordView } from '../engine/chain/record-view.js'
import { AteError, errorCode } from '../engine/error.js'
import { MAX_DROPPED_BODIES } from '../engine/limits.js'
import { type BatchSource, type DropInLog, dropsInLog } from '../engine/log/index.js'
import type { NumberRange } from '../engine/log/types.js'
import { MAX_DROP_RANGES } from '../sync/limits.js'
import type { Timers } from '../wire/index.js'
import type { ChainSession } from './chain-session.js'
import type { StateKeeper } from './state-keeper.js'
import { TURN_MS } from './waits.js'

/** Somebody here still reads an older state, or a copy of the log is being made. */
const AGAIN_MS = 60_000

type DroppedView = Pick<RecordView, 'giveBackWith' | 'hasBody' | 'isGone'>

export interface DroppedSpaceOptions {
  readonly source: BatchSource
  readonly view: DroppedView
  readonly state: StateKeeper
  readonly timers: Timers
  /** What the batches here drop was judged by nobody: nothing is given back. */
  readonly isUnjudged?: boolean | undefined
  readonly onNotice?: ((message: string) => void) | undefined
}

/** Asks the server for something that only who has the turn may ask for; others may have it in between. */
type AskInTurn = <T>(ask: (session: ChainSession, term: number) => Promise<T>) => Promise<T>

export class DroppedSpace {
  readonly #options: DroppedSpaceOptions
  readonly #closing = new AbortController()
  /** The last batch in the local log that is known to drop something. */
  #dropped = 0
  #freeing: Promise<number> | undefined
  #stopTimer: () => void = () => undefined

  constructor(options: DroppedSpaceOptions) {
    this.#options = options
  }

  /** The local log ends there, and what it drops may not have been given back when it was open before. */
  begin(sequence: number): void {
    const { state } = this.#options
    state.noteFreed(Math.min(state.freed, sequence))
    if (state.freed < sequence) this.note(sequence)
  }

  /** The batch, or one before it, drops something. */
  note(sequence: number): void {
    this.#dropped = Math.max(this.#dropped, sequence)
    this.freeSoon()
  }

  /** Gives back what may go by now, and nobody waits for it. */
  freeSoon(): void {
    const { state, onNotice, isUnjudged } = this.#options
    if (isUnjudged === true) return
    if (this.#dropped === 0 || state.server.sequence < this.#dropped) {
      if (this.#dropped === 0) state.noteFreed(Math.max(state.freed, state.server.sequence))
      return
    }
    if (this.#freeing !== undefined || this.#closing.signal.aborted) return
    this.free().catch((error: unknown) => {
      if (!this.#closing.signal.aborted)
        onNotice?.(`Space of the log could not be given back (${errorCode(error) ?? 'unexpected'}).`)
      this.#again()
    })
  }

  /** Returns how many bytes were given back. INPUT_OUTPUT, NO_SPACE, WRITE_FAILED, ABORTED. */
  async free(): Promise<number> {
    const before = (await this.#freeing?.catch(() => 0)) ?? 0
    this.#freeing = this.#free().finally(() => (this.#freeing = undefined))
    return before + (await this.#freeing)
  }

  /** Tells the server what it does not know yet. The turn is not kept while the log is read: others would wait for all of it. */
  async tell(inTurn: AskInTurn): Promise<void> {
    const { source, state } = this.#options
    const end = state.server.sequence
    const say = (numbers: readonly NumberRange[], upTo: number): Promise<{ readonly upTo: number }> => {
      const pairs = numbers.map(({ from, to }): [number, number] => [from, to])
      const options = { timeoutMs: TURN_MS }
      return inTurn(({ peer, channel }, term) => peer.request(channel, 'drop', { term, numbers: pairs, upTo }, options))
    }
    const { upTo } = await say([], 0)
    let isNews = false
    for await (const { sequence, numbers } of dropsInLog(source, upTo + 1, end)) {
      isNews = true
      for (let at = 0; at < numbers.length; at += MAX_DROP_RANGES)
        await say(numbers.slice(at, at + MAX_DROP_RANGES), at + MAX_DROP_RANGES < numbers.length ? 0 : sequence)
    }
    if (isNews || upTo < end) await say([], end)
  }

  /** Nothing is given back any more: the next start goes on. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#stopTimer()
    await this.#freeing?.catch(() => undefined)
  }

  async #free(): Promise<number> {
    const { source, state, view } = this.#options
    const end = state.server.sequence
    const gone = (): Promise<DroppedNumbers> => goneIn(view, dropsInLog(source, state.freed + 1, end))
    if (view.giveBackWith === undefined || (await gone()).numbers.length === 0) {
      this.#noteFreed(end)
      return 0
    }
    const { signal } = this.#closing
    if (signal.aborted) throw new AteError('ABORTED', 'The chain is closed.')
    // By what counts when nobody reads an older state any more: much may have come since.
    const bytes = await view.giveBackWith(async () => await freeDropped(source, await gone(), signal), signal)
    if (bytes === undefined) this.#again()
    else this.#noteFreed(end)
    return bytes ?? 0
  }

  #noteFreed(end: number): void {
    this.#options.state.noteFreed(end)
    if (this.#dropped <= end) this.#dropped = 0
  }

  #again(): void {
    this.#stopTimer()
    if (!this.#closing.signal.aborted) this.#stopTimer = this.#options.timers.after(AGAIN_MS, () => this.freeSoon())
  }
}

/**
 * What of that is gone: in distributed trust a drop may be one that every reader refuses. Each number is looked for once, however
 * many name it.
 */
async function goneIn(view: DroppedView, drops: AsyncIterable<DropInLog>): Promise<DroppedNumbers> {
  const gone = new BodySet()
  const live = new BodySet()
  let before = 0
  for await (const { sequence, numbers } of drops) {
    before = sequence
    if (countOf(numbers) > MAX_DROPPED_BODIES) continue
    for (const { from, to } of numbers)
      for (let body = from; body <= to; body++) {
        if (gone.has(body) || live.has(body)) continue
        if (view.isGone?.(body) !== false) gone.add(body)
        else if (view.hasBody(body)) live.add(body)
      }
  }
  return { numbers: [...gone.without(live)], before }
}

function countOf(ranges: readonly NumberRange[]): number {
  return ranges.reduce((count, { from, to }) => count + to - from + 1, 0)
}
