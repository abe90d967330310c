/** What others had committed is here before somebody reads: in the strict modes for certain, else as far as the server is there. */
import { AteError, type ErrorCode, errorCode } from '../engine/error.js'
import type { Peer } from '../sync/index.js'
import type { Timers } from '../wire/index.js'
import type { ChainSession } from './chain-session.js'
import type { ChainTurn } from './chain-turn.js'
import type { MissingContent } from './missing-content.js'
import type { RemoteLink } from './remote-link.js'
import { away } from './remote-errors.js'
import { ignore, type Waiters } from './waiters.js'

const AGAIN_MS = 50
/** After these it is asked again, on the next connection. */
const LOST = new Set<ErrorCode | undefined>(['CONNECTION_LOST', 'CONNECTION_CLOSED', 'CONNECTION_FAILED'])

/** The way to the server, which may be away. */
export interface Following {
  readonly link: RemoteLink
  readonly patienceMs: number
  /** Who waits for the chain to be followed. */
  readonly starting: Waiters
  /** It was away for longer than anybody waits. */
  readonly isAway: () => boolean
  readonly session: () => ChainSession | undefined
  /** Throws why it is of no use to go on. */
  readonly demandSound: () => void
  readonly timers: Timers
}

export interface ReadBarrierOptions extends Following {
  readonly isStrict: boolean
  readonly turn: ChainTurn
  readonly missing: MissingContent
  /** Names this client to the server. */
  readonly name: Uint8Array
  readonly broken: (session: ChainSession, error: unknown) => void
}

export class ReadBarrier {
  readonly #options: ReadBarrierOptions
  /** Asked in vain, and nothing has come from there since: nobody waits for it again. */
  #silent: { readonly peer: Peer; readonly heard: number } | undefined
  /** It is asked there whether the server still speaks. */
  #probed: ChainSession | undefined

  constructor(options: ReadBarrierOptions) {
    this.#options = options
  }

  /**
   * Resolves when what others had committed is here, with `everything` also what they made and did not sync. At once while this side has the turn, and while the server is away where
   * the recovery mode lets reads go on; TIMED_OUT in the others.
   */
  async refresh(everything = false): Promise<void> {
    const { isStrict, turn } = this.#options
    if (turn.isCertain()) return
    if (isStrict) await this.#inTime(everything)
    else await this.#ask(everything).catch(ignore)
  }

  /** A connection that is lost meanwhile may come again. */
  async #inTime(everything: boolean): Promise<void> {
    const { patienceMs, demandSound, timers } = this.#options
    const until = performance.now() + patienceMs
    for (;;) {
      try {
        await this.#connected(Math.max(1, until - performance.now()))
        if (await this.#ask(everything)) return
      } catch (cause) {
        demandSound()
        if (!LOST.has(errorCode(cause)) || performance.now() >= until)
          throw new AteError('TIMED_OUT', 'The server did not say in time what is new.', { cause })
      }
      await new Promise<void>((resolve) => timers.after(AGAIN_MS, resolve))
    }
  }

  /** False when there is no connection. */
  async #ask(everything: boolean): Promise<boolean> {
    const { turn } = this.#options
    if (turn.isHeld) await turn.confirm()
    return turn.isCertain() || (await this.pass(everything))
  }

  /** False when there is no connection. What is missing by then was never dropped. */
  async pass(everything = false): Promise<boolean> {
    const { missing, broken } = this.#options
    const session = this.#options.session()
    if (session === undefined) return false
    await this.#answered(session, everything)
    try {
      missing.demandNone()
    } catch (error) {
      broken(session, error)
      throw error
    }
    return true
  }

  /** TIMED_OUT: at once when it was so before, and not one packet has come since. */
  async #answered(session: ChainSession, everything: boolean): Promise<void> {
    const { patienceMs, name, link, timers } = this.#options
    const { peer } = session
    const { heard } = peer.connection
    if (this.#silent?.peer === peer && this.#silent.heard === heard) throw away(link.server)
    // Who has the turn may take long to give it back, while the server has nothing to say.
    const stop = everything ? timers.after(patienceMs / 2, () => this.#probe(session)) : ignore
    try {
      await session.barrier(patienceMs, everything ? name : undefined)
    } catch (error) {
      if (errorCode(error) === 'TIMED_OUT' && peer.connection.heard === heard) this.#silent = { peer, heard }
      throw error
    } finally {
      stop()
    }
  }

  /** Asks what is answered at once; one such question is under way at most. */
  #probe(session: ChainSession): void {
    if (this.#probed === session) return
    this.#probed = session
    const onEnd = (): void => {
      if (this.#probed === session) this.#probed = undefined
    }
    session.barrier(Infinity).then(onEnd, onEnd)
  }

  async #connected(timeoutMs: number): Promise<void> {
    const { link, starting, session, isAway, demandSound } = this.#options
    const late = (): AteError => away(link.server)
    demandSound()
    if (isAway()) throw late()
    if (session() === undefined) await starting.wait(timeoutMs, late)
  }
}
