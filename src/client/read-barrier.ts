/** What others had committed is here before somebody reads: in the strict modes for certain, else as far as the server is there. */
import { AteError } from '../engine/error.js'
import type { Timers } from '../wire/index.js'
import type { ChainSession } from './chain-session.js'
import type { ChainTurn } from './chain-turn.js'
import type { MissingContent } from './missing-content.js'
import type { RemoteLink } from './remote-link.js'
import { away } from './remote-errors.js'
import type { Waiters } from './waiters.js'

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
    try {
      if (isStrict) await this.#connected()
      if (turn.isHeld) await turn.confirm()
      if (turn.isCertain()) return
      const isThere = await this.pass(everything)
      if (isStrict && !isThere) throw away(this.#options.link.server)
    } catch (cause) {
      if (isStrict) throw new AteError('TIMED_OUT', 'The server did not say in time what is new.', { cause })
    }
  }

  /** False when there is no connection. What is missing by then was never dropped. */
  async pass(everything = false): Promise<boolean> {
    const { patienceMs, missing, broken, name } = this.#options
    const session = this.#options.session()
    if (session === undefined) return false
    await session.barrier(patienceMs, everything ? name : undefined)
    try {
      missing.demandNone()
    } catch (error) {
      broken(session, error)
      throw error
    }
    return true
  }

  async #connected(): Promise<void> {
    const { link, patienceMs, starting, session, isAway } = this.#options
    if (isAway()) throw away(link.server)
    if (session() === undefined) await link.connection(patienceMs)
    if (session() === undefined) await starting.wait(patienceMs, () => away(link.server))
  }
}
