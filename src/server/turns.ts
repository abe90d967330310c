/**
 * The writer's turn of one chain: in the order of asking, called back when somebody waits, and kept for a session whose
 * connection is lost. Only this says who may write.
 */
import { equalBytes } from '../engine/bytes/equal.js'
import { AteError, errorCode } from '../engine/error.js'
import type { Timers } from '../wire/index.js'

/** Who can have the turn: a channel of a connection. */
export interface Asker {
  /** Somebody else waits. */
  recall(term: number): void
  /** The turn of that term is over, not by the asker's own will. */
  lost(term: number, why: AteError): void
}

/** What survives a restart. */
export interface TurnState {
  readonly term: number
  /** 16 bytes; null when nobody has the turn. */
  readonly session: Uint8Array | null
}

export interface TurnsOptions {
  readonly timers: Timers
  readonly graceMs: number
  /** Who waits so long is told so, and may ask again. */
  readonly waitMs: number
  readonly state: TurnState
  /** Keeps it durable. */
  readonly save: (state: TurnState) => Promise<void>
  /** Resolves when nothing that was written with the turn before is under way. */
  readonly settled: () => Promise<void>
}

interface Waiting {
  stopTimer: () => void
  readonly asker: Asker
  readonly session: Uint8Array
  readonly resolve: (term: number) => void
  readonly reject: (error: AteError) => void
}

interface Holder {
  readonly session: Uint8Array
  /** Undefined while its connection is lost. */
  asker: Asker | undefined
  /** It was told that somebody waits. */
  isRecalled: boolean
  /** It knows that it has the turn, as far as it was sent. */
  isTold: boolean
  /** Since its time after the recall began. */
  broughtBytes: number
  /** It had the time it is given after a loss. */
  isOverdue: boolean
}

/** One that does not read what it is sent has no more time than that. */
const UNTOLD_GRACES = 6

/** Who was recalled must bring so much in each time he is given: a byte now and then keeps nobody waiting for ever. */
const LEAST_BYTES = 64 * 1024

export class Turns {
  readonly #options: TurnsOptions
  #term: number
  #holder: Holder | undefined
  #waiting: Waiting[] = []
  /** Who wait only for what the holder has not brought yet. */
  #readers: (() => void)[] = []
  #isGiving = false
  #isClosed = false
  #stopTimer: () => void = () => undefined

  constructor(options: TurnsOptions) {
    this.#options = options
    const { term, session } = options.state
    this.#term = term
    if (session === null) return
    this.#holder = { session, asker: undefined, isRecalled: false, isTold: true, broughtBytes: 0, isOverdue: false }
    this.#startGrace()
  }

  /** True for who may write with that term now. */
  isHeldBy(asker: Asker, term: number): boolean {
    return this.#holder?.asker === asker && term === this.#term && !this.#isGiving
  }

  /** True while somebody has it, a lost session included. */
  get isHeld(): boolean {
    return this.#holder !== undefined
  }

  /** True for the session that has the turn of that term, its connection lost or not. */
  isOf(session: Uint8Array, term: number): boolean {
    const holder = this.#holder
    return holder !== undefined && !this.#isGiving && term === this.#term && equalBytes(holder.session, session)
  }

  /** Resolves with the term when the turn is given. BAD_ARGUMENT for who has it or waits already. */
  async ask(asker: Asker, session: Uint8Array, term: number): Promise<number> {
    if (this.#isClosed) throw closed()
    const holder = this.#holder
    if (holder !== undefined && this.isOf(session, term)) {
      // Whoever asks on the same connection knows of the recall: his time goes on.
      if (holder.asker !== asker) {
        this.#stopTimer()
        holder.asker = asker
        holder.isRecalled = holder.isOverdue = false
      }
      await this.#options.settled()
      if (this.#holder !== holder || holder.asker !== asker) throw lostTo(term)
      this.#recallIfWanted()
      return term
    }
    if (holder?.asker === asker || this.#waiting.some((each) => each.asker === asker))
      throw new AteError('BAD_ARGUMENT', 'The turn is held or asked for on this channel already.')
    return await new Promise((resolve, reject) => {
      const waiting: Waiting = { asker, session, resolve, reject, stopTimer: () => undefined }
      waiting.stopTimer = this.#options.timers.after(this.#options.waitMs, () => this.#giveUp(waiting))
      this.#waiting.push(waiting)
      void this.#giveNext()
    })
  }

  #giveUp(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiting)
    waiting.reject(new AteError('TIMED_OUT', 'Others did not give the turn in time.'))
  }

  /** The holder gives it back. False when it does not have it. */
  async release(asker: Asker, term: number): Promise<boolean> {
    if (!this.isHeldBy(asker, term)) return false
    await this.#options.settled()
    if (this.isHeldBy(asker, term)) this.#end()
    return true
  }

  /** Resolves when all that whoever has the turn made before is brought. One who is not there is not waited for. */
  givenBack(asker: Asker): Promise<void> {
    const holder = this.#holder
    if (holder?.asker === undefined || holder.asker === asker || !holder.isTold || this.#isGiving)
      return Promise.resolve()
    return new Promise((resolve) => {
      this.#readers.push(resolve)
      this.#recallIfWanted()
    })
  }

  /** The holder brings something: whoever waits goes on waiting while it is not too little. */
  noteWrite(bytes: number): void {
    const holder = this.#holder
    if (holder?.isRecalled !== true) return
    holder.broughtBytes += bytes
    if (holder.broughtBytes < LEAST_BYTES) return
    holder.broughtBytes = 0
    this.#startRecallTimer()
  }

  /** What the holder has to have first is on its way to it: the time that it has after a recall begins when it is told. */
  noteTold(asker: Asker, term: number, isTold: boolean): void {
    const holder = this.#holder
    if (holder === undefined || !this.isHeldBy(asker, term) || holder.isTold === isTold) return
    holder.isTold = isTold
    if (holder.isRecalled) this.#startRecallTimer()
  }

  /** What was brought with that term cannot be taken: it is over. Whoever goes on with it meanwhile is told. */
  forfeit(by: object, term: number, why: AteError): void {
    const holder = this.#holder
    if (holder === undefined || term !== this.#term || this.#isGiving) return
    this.#end()
    if (holder.asker !== by) holder.asker?.lost(term, why)
  }

  /** Its connection is gone, or it left: `isForGood` gives the turn back. */
  leave(asker: Asker, isForGood: boolean): void {
    for (const each of this.#waiting.filter((each) => each.asker === asker)) {
      each.stopTimer()
      each.reject(closed())
    }
    this.#waiting = this.#waiting.filter((each) => each.asker !== asker)
    const holder = this.#holder
    if (holder?.asker !== asker) return
    holder.asker = undefined
    this.#letRead()
    if (isForGood && !this.#isGiving) this.#end()
    else this.#startGrace()
  }

  /** Nobody is given the turn any more; who holds it has it again after a restart. */
  close(): void {
    this.#isClosed = true
    this.#stopTimer()
    this.#letRead()
    for (const { reject, stopTimer } of this.#waiting.splice(0)) {
      stopTimer()
      reject(closed())
    }
  }

  #letRead(): void {
    for (const resolve of this.#readers.splice(0)) resolve()
  }

  #end(): void {
    this.#stopTimer()
    this.#holder = undefined
    this.#letRead()
    // Not waited for: a restart that knows nothing of it keeps the turn for a moment, for nobody.
    void this.#options.save({ term: this.#term, session: null }).catch(() => undefined)
    void this.#giveNext()
  }

  async #giveNext(): Promise<void> {
    const holder = this.#holder
    if (holder !== undefined) {
      // Nobody else wants it: who had it may still come back.
      if (holder.isOverdue && this.#waiting.length > 0) this.#end()
      else this.#recallIfWanted()
      return
    }
    const next = this.#waiting.shift()
    if (next === undefined || this.#isClosed) return
    next.stopTimer()
    const term = this.#term + 1
    const given: Holder = {
      session: next.session,
      asker: next.asker,
      isRecalled: false,
      isTold: true,
      broughtBytes: 0,
      isOverdue: false,
    }
    this.#holder = given
    this.#term = term
    this.#isGiving = true
    try {
      await this.#options.settled()
      await this.#options.save({ term, session: next.session })
      this.#isGiving = false
      next.resolve(term)
    } catch (cause) {
      this.#isGiving = false
      // Not WRITE_FAILED: that is a log's that has to be opened anew, and this is tried again.
      const isFull = errorCode(cause) === 'NO_SPACE'
      const why = isFull ? 'The disk of the server is full.' : 'The turn could not be given.'
      next.reject(new AteError(isFull ? 'NO_SPACE' : 'INPUT_OUTPUT', why, { cause }))
      this.#end()
      return
    }
    // It may have gone meanwhile.
    if (given.asker === undefined) this.#startGrace()
    else this.#recallIfWanted()
  }

  #recallIfWanted(): void {
    const holder = this.#holder
    if (holder?.asker === undefined || holder.isRecalled || this.#isGiving) return
    if (this.#waiting.length + this.#readers.length === 0) return
    holder.isRecalled = true
    holder.broughtBytes = 0
    holder.asker.recall(this.#term)
    this.#startRecallTimer()
  }

  #startRecallTimer(): void {
    const { graceMs } = this.#options
    this.#restartTimer(this.#holder?.isTold === false ? UNTOLD_GRACES * graceMs : graceMs, () => {
      const asker = this.#holder?.asker
      const term = this.#term
      this.#end()
      asker?.lost(term, new AteError('LOCK_LOST', 'The turn was asked for, and neither given back nor used.'))
    })
  }

  #startGrace(): void {
    this.#restartTimer(this.#options.graceMs, () => {
      if (this.#holder !== undefined) this.#holder.isOverdue = true
      void this.#giveNext()
    })
  }

  #restartTimer(afterMs: number, run: () => void): void {
    this.#stopTimer()
    if (!this.#isClosed) this.#stopTimer = this.#options.timers.after(afterMs, run)
  }
}

function closed(): AteError {
  return new AteError('CHAIN_CLOSED', 'The channel has ended.')
}

function lostTo(term: number): AteError {
  return new AteError('LOCK_LOST', `The turn of term ${term} is over.`)
}
