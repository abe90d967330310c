/**
 * A queue whose messages take effect exactly once. A message is handled in a transaction that also removes it: what the
 * handler stores, and that the message is done, become true together or not at all, wherever a crash comes. Before that it
 * is claimed, in the chain, so that a message that brings its handler down is counted, and put aside in the end.
 */
import { after } from '../after.js'
import { AteError, errorCode } from '../error.js'
import type { AteSession } from '../trust/session.js'
import type { ChainAccess } from './chain-access.js'
import type { Dao, DaoMut } from './dao.js'
import type { DataType, FieldsOf, InputOf } from './data-type.js'
import { keyOf } from './dao-state.js'
import type { Dio } from './dio.js'
import type { DioMut } from './dio-mut.js'
import type { ObjectKey } from './object-key.js'
import { type Claim, type QueueType, queueType } from './queue-types.js'
import { Waker } from './waker.js'

/** How often and when a message is tried; that of whoever handles it counts. */
export interface QueueOptions {
  /** Attempts before a message is put aside. The default is 5. */
  maxAttempts?: number
  /** How long a handler may take; after it the message is another one's. The default is 30 seconds. */
  leaseMs?: number
  /** Before the second attempt; doubled for each later one. The default is 100. */
  retryDelayMs?: number
  /** Who sends and handles: where there are rules, his keys must allow it. */
  session?: AteSession
}

/** How messages, or requests, are taken. */
export interface WorkOptions {
  /** Ends it, after what is under way. Without one it ends with the chain: CHAIN_CLOSED. */
  signal?: AbortSignal | undefined
  /** Handled at once. The default is 1. */
  concurrency?: number | undefined
}

/** How a queue is worked off. */
export interface ProcessOptions extends WorkOptions {
  /** Ends when every message is done or put aside: those that are tried again later, or handled by others, are waited for. */
  untilEmpty?: boolean
}

/**
 * Handles a message. What it changes through `dio` is committed with the message's end, so it must not commit itself, and
 * changes elsewhere only what may happen twice. When it throws, the message is tried again. `signal`: the lease is over.
 */
export type Handler<D> = (message: DaoMut<D>, dio: DioMut, signal: AbortSignal) => Promise<void> | void

/**
 * Asked, in a transaction, what becomes of a message whose attempt came to nothing. True: it is done with what the transaction
 * says; false: it is tried again, or put aside after the last attempt.
 */
export type OnFailure<D> = (
  message: DaoMut<D>,
  dio: DioMut,
  failed: { error: unknown; isLast: boolean },
) => Promise<boolean>

const DEFAULTS = { maxAttempts: 5, leaseMs: 30_000, retryDelayMs: 100 }
const CONFLICT_RETRIES = 100
/** Holder of a claim that only waits. */
const NOBODY = ''
const NEVER = new AbortController().signal

interface Hands<D> {
  readonly handler: Handler<D>
  readonly onFailure: OnFailure<D>
}

interface Claimed {
  key: ObjectKey
  attempt: number
}

/** Messages of one type, each of which takes effect exactly once. Made by `Chain.queue`. */
export class Queue<D extends DataType> {
  /** As it was opened: others of the same name are the same queue. */
  readonly name: string
  readonly #chain: ChainAccess
  readonly #type: QueueType
  readonly #messageType: D
  readonly #key: ObjectKey
  readonly #options: Required<Omit<QueueOptions, 'session'>>
  readonly #session: AteSession | undefined
  readonly #waker = new Waker()

  private constructor(chain: ChainAccess, name: string, type: D, options: QueueOptions) {
    this.name = name
    this.#chain = chain
    this.#messageType = type
    this.#type = queueType(type)
    this.#key = chain.keyOfName('queue', name)
    const { session, ...rest } = options
    this.#options = { ...DEFAULTS, ...rest }
    this.#session = session
  }

  /** The queue of that name, made when there is none; its messages are of one type. WRONG_TYPE for another one. */
  static async open<D extends DataType>(
    chain: ChainAccess,
    name: string,
    type: D,
    options: QueueOptions = {},
  ): Promise<Queue<D>> {
    const queue = new Queue(chain, name, type, options)
    await queue.#transact(async (dio) => {
      const known = await dio.tryLoad(queue.#type, queue.#key)
      if (known === undefined) dio.store({ name, messageType: type.name }, { type: queue.#type, key: queue.#key })
      else if (known.messageType !== type.name)
        throw new AteError('WRONG_TYPE', `The queue ${name} holds messages of the type ${known.messageType}.`)
    })
    return queue
  }

  /** Sends a message in a transaction of its own; it is durable when it resolves. */
  async send(fields: InputOf<D>): Promise<ObjectKey> {
    return this.#transact(async (dio) => (await this.sendIn(dio, fields)).key)
  }

  /** Sends a message with what else the transaction does. */
  async sendIn(dio: DioMut, fields: InputOf<D>): Promise<{ key: ObjectKey }> {
    const { messages } = await dio.load(this.#type, this.#key)
    return messages.push(fields)
  }

  /** Takes a message back that nobody has done, or that was put aside. False: this queue has none of that key. */
  async withdrawIn(dio: DioMut, key: ObjectKey): Promise<boolean> {
    const { claims, failures } = await this.#load(dio)
    await claims.delete(key)
    await failures.delete(key)
    const info = await dio.info(key)
    if (info?.parent !== this.#key || info.type !== this.#messageType.name) return false
    dio.delete(key)
    return true
  }

  /** Messages that are not done, those that were put aside not counted. */
  async length(): Promise<number> {
    return (await this.#load(this.#chain.dio(this.#session))).messages.length()
  }

  /** The messages that were put aside, and why. */
  async *dead(): AsyncGenerator<{ message: Dao<D>; attempts: number; code: string; reason: string }> {
    const queue = await this.#load(this.#chain.dio(this.#session))
    for await (const message of queue.dead) {
      const failure = await queue.failures.get(keyOf(message))
      const { attempts = 0, code = '', message: reason = '' } = failure ?? {}
      // The vec of a queue holds messages of its type.
      yield { message: message as Dao<D>, attempts, code, reason }
    }
  }

  /** Puts a message that was put aside behind all others, to be tried again. NOT_FOUND. */
  async revive(key: ObjectKey): Promise<void> {
    await this.#transact(async (dio) => {
      const queue = await this.#load(dio)
      const message = await dio.load(this.#messageType, key)
      if (!(await queue.failures.delete(key))) throw new AteError('NOT_FOUND', `No message ${key} was put aside.`)
      queue.messages.attach(message)
    })
  }

  /**
   * Handles messages as they come, in their order, until `signal`, or until there are none (`untilEmpty`); resolves when nothing
   * is under way any more.
   */
  process(handler: Handler<D>, options: ProcessOptions = {}): Promise<void> {
    return this.processWith(handler, options, () => Promise.resolve(false))
  }

  /**
   * As `process`; `onFailure` has a say in what becomes of messages whose attempt came to nothing.
   *
   * @internal
   */
  async processWith(handler: Handler<D>, options: ProcessOptions, onFailure: OnFailure<D>): Promise<void> {
    const { signal = NEVER, concurrency = 1, untilEmpty = false } = options
    const watching = await this.#watch()
    try {
      await Promise.all(
        Array.from({ length: concurrency }, () => this.#work({ handler, onFailure }, signal, untilEmpty)),
      )
    } finally {
      watching[Symbol.dispose]()
    }
  }

  /** On its own: nobody holds what was read for it while messages are handled. */
  async #watch(): Promise<Disposable> {
    const { messages } = await this.#load(this.#chain.dio(this.#session))
    return messages.onChange(() => this.#waker.wake())
  }

  async #work(hands: Hands<D>, signal: AbortSignal, untilEmpty: boolean): Promise<void> {
    while (!signal.aborted) {
      const { count } = this.#waker
      const found = await this.#claimNext()
      if (typeof found === 'object') await this.#handle(found, hands)
      else if (found !== undefined || !untilEmpty) await this.#waker.wait(count, found, signal)
      // Another one may have taken the last message just now.
      else if ((await this.length()) === 0) return
    }
  }

  /** The first message that is nobody's, or in how many milliseconds there may be one; undefined: when one comes. */
  async #claimNext(): Promise<Claimed | number | undefined> {
    const queue = await this.#load(this.#chain.dio(this.#session))
    let waitMs: number | undefined
    for await (const key of queue.messages.keys()) {
      const takenMs = this.#takenMs(await queue.claims.get(key))
      const claimed = takenMs > 0 ? takenMs : await this.#claim(key)
      if (typeof claimed === 'object') return claimed
      if (claimed !== undefined) waitMs = Math.min(waitMs ?? claimed, claimed)
    }
    return waitMs
  }

  /** How long a message is still somebody's. One who held the chain before is gone: so is what he began. */
  #takenMs(claim: FieldsOf<typeof Claim> | undefined): number {
    if (claim === undefined || (claim.holder !== this.#chain.instance && claim.holder !== NOBODY)) return 0
    return Math.max(0, claim.untilMs - this.#chain.nowMs())
  }

  /**
   * Counts an attempt before it is made. For how many milliseconds the message is another one's; undefined: it is gone, or was
   * put aside.
   */
  async #claim(key: ObjectKey): Promise<Claimed | number | undefined> {
    return this.#transact(async (dio) => {
      const { claims } = await this.#load(dio)
      const claim = await claims.get(key)
      if (!(await dio.exists(key))) return undefined
      const takenMs = this.#takenMs(claim)
      if (takenMs > 0) return takenMs
      const attempt = (claim?.attempt ?? 0) + 1
      if (attempt > this.#options.maxAttempts) {
        await this.#bury(dio, key, attempt - 1, new Error('Its handlers ended without a word.'))
        return undefined
      }
      const untilMs = this.#chain.nowMs() + this.#options.leaseMs
      claims.set(key, { attempt, holder: this.#chain.instance, untilMs })
      return { key, attempt }
    })
  }

  async #handle(claimed: Claimed, { handler, onFailure }: Hands<D>): Promise<void> {
    const { key } = claimed
    const lease = new AbortController()
    const stopTimer = after(this.#options.leaseMs, () => {
      lease.abort()
      this.#waker.wake()
    })
    try {
      await this.#transact(async (dio) => {
        const message = await dio.tryLoad(this.#messageType, key)
        if (message === undefined || !(await this.#isCurrent(dio, claimed))) return
        await handler(message, dio, lease.signal)
        // Again, and read by what is committed now: the handler may have begun its transaction anew.
        if (await this.#isCurrent(dio, claimed)) await this.withdrawIn(dio, key)
        else dio.cancel()
      })
    } catch (error) {
      const isTold = await this.#tellFailure(claimed, onFailure, error)
      if (!isTold) await this.#noteFailure(claimed, error)
    } finally {
      stopTimer()
    }
  }

  /** False when another attempt has begun: the lease of this one was over. */
  async #isCurrent(dio: Dio, { key, attempt }: Claimed): Promise<boolean> {
    const claim = await (await this.#load(dio)).claims.get(key)
    return claim?.attempt === attempt
  }

  /** What whoever handles has to say of it counts only where it can be committed. */
  async #tellFailure({ key, attempt }: Claimed, onFailure: OnFailure<D>, error: unknown): Promise<boolean> {
    const isLast = attempt >= this.#options.maxAttempts
    try {
      return await this.#transact(async (dio) => {
        const message = await dio.tryLoad(this.#messageType, key)
        if (message === undefined || !(await this.#isCurrent(dio, { key, attempt }))) return true
        const isDone = await onFailure(message, dio, { error, isLast })
        if (isDone) await this.withdrawIn(dio, key)
        return isDone
      })
    } catch (failure) {
      if (errorCode(failure) === 'CHAIN_CLOSED') throw failure
      return false
    }
  }

  async #noteFailure(claimed: Claimed, error: unknown): Promise<void> {
    const { key, attempt } = claimed
    const { maxAttempts, retryDelayMs } = this.#options
    await this.#transact(async (dio) => {
      if (!(await this.#isCurrent(dio, claimed))) return
      if (attempt >= maxAttempts) return this.#bury(dio, key, attempt, error)
      const queue = await this.#load(dio)
      const untilMs = this.#chain.nowMs() + retryDelayMs * 2 ** (attempt - 1)
      queue.claims.set(key, { attempt, holder: NOBODY, untilMs })
    })
  }

  async #bury(dio: DioMut, key: ObjectKey, attempts: number, error: unknown): Promise<void> {
    const queue = await this.#load(dio)
    const message = error instanceof Error ? error.message : String(error)
    queue.dead.attach(await dio.load(this.#messageType, key))
    await queue.claims.delete(key)
    queue.failures.set(key, { attempts, code: errorCode(error) ?? '', message })
  }

  #load(dio: DioMut): Promise<DaoMut<QueueType>>
  #load(dio: Dio): Promise<Dao<QueueType>>
  #load(dio: Dio): Promise<Dao<QueueType>> {
    return dio.load(this.#type, this.#key)
  }

  #transact<T>(work: (dio: DioMut) => Promise<T>): Promise<T> {
    const session = this.#session
    return this.#chain.transact(work, { retries: CONFLICT_RETRIES, ...(session === undefined ? {} : { session }) })
  }
}
