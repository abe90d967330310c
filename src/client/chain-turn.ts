/** The turn to change a chain of a server: asked for when somebody here waits for it, given back when others do. */
import { AteError, errorCode } from '../engine/error.js'
import type { LogEnd } from '../engine/log/index.js'
import { failureDetail, type Peer, type RequestMap } from '../sync/index.js'
import type { Timers } from '../wire/index.js'
import type { ChainSession } from './chain-session.js'
import { LeaseClock } from './lease-clock.js'
import { serverFull } from './remote-errors.js'
import type { StateKeeper } from './state-keeper.js'
import type { Uploader } from './uploader.js'
import { nextTurn, Waiters } from './waiters.js'
import { ASK_MS, FULL_MS, TURN_MS } from './waits.js'

type TurnGiven = RequestMap['turn']['reply']
/** Before a question: a line of 1 Mbit/s takes 4 seconds for them. */
const MOST_UNSENT_BYTES = 512 * 1024
const LOOK_AGAIN_MS = 2

type Turn = 'none' | 'asked' | 'held' | 'recalled'

export interface ChainTurnOptions {
  readonly timers: Timers
  readonly patienceMs: number
  /** How long it is certain behind an answer of the server. */
  readonly leaseMs: number
  readonly state: StateKeeper
  readonly uploader: Uploader
  /** The chain on its connection, while there is one. */
  readonly session: () => ChainSession | undefined
  /** Where the local log ends. */
  readonly headSequence: () => number
  /** True when the local log has just this batch. */
  readonly hasBatch: (end: LogEnd) => Promise<boolean>
  /** Throws when something is missing of what has come. */
  readonly demandWhole: () => void
  /** Both sides have everything up to this. */
  readonly noteServer: (end: LogEnd) => void
  /** Has everything that was changed in turn in the local log when it resolves. */
  readonly flush: () => Promise<void>
  /** The server has no room for what is brought. */
  readonly onFull: (error: AteError) => void
  readonly broken: (peer: Peer, error: unknown) => void
}

export class ChainTurn {
  readonly #options: ChainTurnOptions
  readonly #waiters: Waiters
  #turn: Turn = 'none'
  /** Asked for back before it was known to be given. */
  #recalledTerm = 0
  /** It was given just now. */
  #isFresh = false
  /** Who must not lose it in between. */
  #holds = 0
  /** Since the server was asked last that gave it, or said that it is given still. */
  readonly #clock: LeaseClock
  #confirming: Promise<void> | undefined
  /** While the server had no room just now: it is not asked again before that is over. */
  #stopPause: (() => void) | undefined

  constructor(options: ChainTurnOptions) {
    this.#options = options
    this.#waiters = new Waiters(options.timers)
    this.#clock = new LeaseClock(options.leaseMs)
  }

  get isHeld(): boolean {
    return this.#turn === 'held'
  }

  /** It is held, and the server can have given it to nobody else by now. */
  isCertain(): boolean {
    return this.#turn === 'held' && this.#clock.isCertain
  }

  /** Asks whether it is held still. Resolves when that is certain, or the connection is given up. */
  confirm(): Promise<void> {
    const session = this.#options.session()
    if (session === undefined || this.#turn !== 'held') return Promise.resolve()
    this.#confirming ??= this.#confirm(session)
      .catch((error: unknown) => {
        if (!this.#isCurrent(session)) return
        this.#turn = 'none'
        this.#options.broken(session.peer, error)
      })
      .finally(() => (this.#confirming = undefined))
    return this.#confirming
  }

  /** Resolves when the turn has come, or may have; fails with what `late` gives after so many milliseconds. */
  wait(timeoutMs: number, late: () => AteError): Promise<void> {
    const waiting = this.#waiters.wait(timeoutMs, late)
    this.askSoon()
    return waiting
  }

  resolveWaiting(): void {
    this.#waiters.resolveAll()
  }

  rejectWaiting(error: AteError): void {
    this.#waiters.rejectAll(error)
  }

  /** The connection has ended. Who waits goes on waiting. */
  end(): void {
    this.#turn = 'none'
    this.#isFresh = false
    this.#recalledTerm = 0
    this.#endPause()
  }

  /**
   * The server has no room: for the turn, or for what was brought with it, and then that is over. Whoever waits is told, the
   * connection stays, and it is asked for again in a moment: by who waits then, or for what is to be brought.
   */
  full(): void {
    const error = serverFull()
    this.#options.uploader.pause()
    this.#turn = 'none'
    this.#recalledTerm = 0
    this.#waiters.rejectAll(error)
    this.#options.onFull(error)
    this.#endPause()
    this.#stopPause = this.#options.timers.after(FULL_MS, () => {
      this.#stopPause = undefined
      this.#askIf(!this.#waiters.isEmpty || this.#isBehind)
    })
  }

  /** When somebody waits for it. */
  askSoon(): void {
    this.#askIf(!this.#waiters.isEmpty)
  }

  #askIf(isWanted: boolean): void {
    const session = this.#options.session()
    if (!isWanted || session === undefined || this.#turn !== 'none' || this.#stopPause !== undefined) return
    void this.ask(session).catch((error: unknown) => this.#options.broken(session.peer, error))
  }

  #endPause(): void {
    this.#stopPause?.()
    this.#stopPause = undefined
  }

  /** Something is to be brought. */
  get #isBehind(): boolean {
    return this.#options.headSequence() > this.#options.state.server.sequence
  }

  /** Resolves when it has come, and those who waited have made their changes. */
  async ask(session: ChainSession): Promise<void> {
    if (this.#turn !== 'none') return
    this.#turn = 'asked'
    const { state, uploader, timers, noteServer } = this.#options
    const asked = this.#clock.now()
    const given = await this.#given(session)
    if (given === undefined) return
    await session.arrivals.drained()
    if (!this.#isAsking(session)) return
    if (given.sequence > this.#options.headSequence())
      throw new AteError('BAD_FORMAT', 'The server gives the turn to who has not everything.')
    // Where histories part the batches come first, and tell: the server's bare word cuts nothing off.
    if (!(await this.#options.hasBatch(given)))
      throw new AteError('CHAIN_FORKED', `The server has another batch ${given.sequence} than it has sent.`)
    if (!this.#isCurrent(session)) return
    this.#options.demandWhole()
    noteServer(given)
    state.noteTerm(given.term)
    this.#turn = 'held'
    this.#clock.confirm(asked)
    const push = (part: { bytes: Uint8Array; more: boolean }): void => {
      if (this.#isFull(session)) throw new AteError('LAGGED', 'What is asked would wait behind too much.')
      session.peer.push(session.channel, 'batch', { ...part, term: given.term })
    }
    uploader.begin({ push, ready: () => this.#hasRoom(session) }, given.sequence)
    this.#waiters.resolveAll()
    // Whoever has waited for it makes his change first: without that nobody would ever come to anything.
    this.#isFresh = true
    await nextTurn(timers)
    this.#isFresh = false
    if (this.#recalledTerm === state.term) this.recall(this.#recalledTerm)
  }

  /** Where it is asked now and then whether the turn is held still, the question must come through in time on a slow line. */
  #isFull({ peer }: ChainSession): boolean {
    return this.#options.leaseMs < Infinity && peer.unsentBytes > MOST_UNSENT_BYTES
  }

  /** Rejects when the connection is over. */
  async #hasRoom(session: ChainSession): Promise<void> {
    await session.peer.ready()
    while (this.#isCurrent(session) && this.#isFull(session))
      await new Promise<void>((resolve) => this.#options.timers.after(LOOK_AGAIN_MS, resolve))
  }

  /** It is not given back before what this returns is called. */
  hold(): () => void {
    this.#holds++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#holds--
      if (this.#recalledTerm > 0) this.recall(this.#recalledTerm)
    }
  }

  /** Undefined when the server is full, or others had it for too long and nobody here waits for it any more. */
  async #given(session: ChainSession): Promise<TurnGiven | undefined> {
    for (;;) {
      try {
        return await this.#request(session, ASK_MS)
      } catch (error) {
        if (!this.#isCurrent(session)) throw error
        if (errorCode(error) === 'NO_SPACE') {
          this.full()
          return undefined
        }
        const isSaidThere = errorCode(error) === 'TIMED_OUT' && failureDetail(error) !== undefined
        if (!isSaidThere) throw error
        if (!this.#waiters.isEmpty || this.#isBehind) continue
        this.#turn = 'none'
        return undefined
      }
    }
  }

  /** Others wait for it. */
  recall(term: number): void {
    this.#recalledTerm = term
    const session = this.#options.session()
    const isWanted = this.#isFresh || this.#holds > 0
    if (session === undefined || this.#turn !== 'held' || isWanted || term !== this.#options.state.term) return
    this.#turn = 'recalled'
    void this.#giveBack(session, term).catch((error: unknown) => {
      // The server may have had no room for the last of it: then the turn was over before.
      if (term === this.#options.state.term) this.#options.broken(session.peer, error)
    })
  }

  async #giveBack(session: ChainSession, term: number): Promise<void> {
    const { flush, uploader, headSequence, state } = this.#options
    // One who asks for what he gives back would be given it again.
    await this.#confirming
    await flush()
    await uploader.sent(headSequence())
    if (term !== state.term) return
    await session.peer.request(session.channel, 'release', { term }, { timeoutMs: TURN_MS })
    await session.arrivals.drained()
    if (!this.#isCurrent(session) || term !== state.term) return
    uploader.pause()
    this.#turn = 'none'
    state.noteTerm(0)
    this.askSoon()
  }

  /** It changes while it is waited for. */
  #isAsking(session: ChainSession): boolean {
    return this.#isCurrent(session) && this.#turn === 'asked'
  }

  #isCurrent(session: ChainSession): boolean {
    return session === this.#options.session()
  }

  async #confirm(session: ChainSession): Promise<void> {
    const { state, patienceMs } = this.#options
    const { term } = state
    const asked = this.#clock.now()
    const given = await this.#request(session, patienceMs)
    if (!this.#isCurrent(session)) return
    if (given.term !== term) throw new AteError('LOCK_LOST', `The turn of term ${term} is over.`)
    this.#clock.confirm(asked)
  }

  #request(session: ChainSession, timeoutMs: number): Promise<TurnGiven> {
    const { server, session: id, term } = this.#options.state
    const { sequence, digest } = server
    return session.turn({ session: id, term, sequence, digest }, timeoutMs)
  }
}
