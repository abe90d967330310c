/**
 * One side of a connection that speaks the messages of `docs/protocol.md`, section 8: requests find their answers, and what
 * comes unasked goes to its channel, in order. Whatever is malformed ends the connection with BAD_FORMAT.
 */
import type { Packable } from '../engine/codec/message-pack.js'
import { AteError, type ErrorCode, isAteError } from '../engine/error.js'
import type { Connection, CloseReason } from '../wire/connection.js'
import { systemTimers, type Timers } from '../wire/timers.js'
import { decodeMessage, encodeMessage, type Message } from './envelope.js'
import { decodeFailure, encodeFailure } from './failures.js'
import { MAX_UNANSWERED } from './limits.js'
import { isPushType, PUSHES, type PushMap, type PushType } from './pushes.js'
import type { SharedPush } from './shared-push.js'
import { isRequestType, type RequestMap, REQUESTS, type RequestType } from './requests.js'

export type RequestHandlers = {
  readonly [T in RequestType]?: (
    body: RequestMap[T]['request'],
  ) => RequestMap[T]['reply'] | Promise<RequestMap[T]['reply']>
}

/** A promise keeps all that comes behind it waiting: it must not wait for an answer of the other side. */
export type PushHandlers = { readonly [T in PushType]?: (body: PushMap[T]) => void | Promise<void> }

export interface ChannelHandlers {
  /** Called in the order of asking; each may take its time. What they throw is the failure. */
  readonly requests?: RequestHandlers
  readonly pushes?: PushHandlers
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds until it fails with TIMED_OUT; for ever when not given. */
  readonly timeoutMs?: number | undefined
}

interface Waiting {
  readonly type: RequestType
  readonly settle: (message: Message) => void
  readonly fail: (error: AteError) => void
}

export class Peer {
  readonly #connection: Connection
  readonly #timers: Timers
  readonly #channels = new Map<number, ChannelHandlers>()
  readonly #waiting = new Map<number, Waiting>()
  #lastNumber = 0
  #unanswered = 0
  #end: AteError | undefined

  /** Begins to take messages when the code that makes it lets others run. */
  constructor(connection: Connection, timers: Timers = systemTimers) {
    this.#connection = connection
    this.#timers = timers
    queueMicrotask(() => void this.#run())
  }

  get connection(): Connection {
    return this.#connection
  }

  /** Resolves when the connection is over. Never rejects. */
  get closed(): Promise<CloseReason> {
    return this.#connection.closed
  }

  /** Bytes that are held because the other side has not taken them. */
  get unsentBytes(): number {
    return this.#connection.unsentBytes
  }

  /** Resolves when there is room to push: at most so many bytes wait. Rejects with the reason of the end. */
  ready(atMost?: number): Promise<void> {
    return this.#connection.ready(atMost)
  }

  /** What is asked and said on a channel goes there from now on. Of pushes to a channel without handlers nobody hears. */
  listen(channel: number, handlers: ChannelHandlers): void {
    this.#channels.set(channel, handlers)
  }

  forget(channel: number): void {
    this.#channels.delete(channel)
  }

  /**
   * The answer of the other side. Fails with what it says, with ABORTED or TIMED_OUT, with LAGGED when too many are unanswered,
   * and with the reason of the end when the connection ends.
   */
  request<T extends RequestType>(
    channel: number,
    type: T,
    body: RequestMap[T]['request'],
    { signal, timeoutMs = Infinity }: RequestOptions = {},
  ): Promise<RequestMap[T]['reply']> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end
      if (signal?.aborted === true) throw gaveUp('ABORTED', type)
      if (this.#waiting.size >= MAX_UNANSWERED) throw new AteError('LAGGED', 'Too many requests are unanswered.')
      const number = this.#lastNumber + 1
      this.#send({ channel, kind: 'request', number, type }, body)
      this.#lastNumber = number
      const giveUp = (code: ErrorCode): void => {
        stop()
        reject(gaveUp(code, type))
      }
      const onAbort = (): void => giveUp('ABORTED')
      const stopTimer = this.#timers.after(timeoutMs, () => giveUp('TIMED_OUT'))
      const stop = (): void => {
        stopTimer()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort)
      // One that was given up stays until its answer has come: that is what is bounded.
      this.#waiting.set(number, {
        type,
        settle: ({ kind, body: answer }) => {
          stop()
          if (kind === 'reply') resolve(REQUESTS[type].reply(answer, `reply to ${type}`))
          else reject(decodeFailure(answer))
        },
        fail: (error) => {
          stop()
          reject(error)
        },
      })
    })
  }

  /** LAGGED when the other side does not read (nothing is sent; wait for `ready`), and the reason of the end after it. */
  push<T extends PushType>(channel: number, type: T, body: PushMap[T]): void {
    this.#send({ channel, kind: 'push', number: 0, type }, body)
  }

  /** As `push`, of one that goes to many. */
  pushShared(channel: number, shared: SharedPush): void {
    this.#connection.sendEncoded(shared.encodedFor(this.#connection.agreement.format, channel))
  }

  /** Says goodbye, with the error that is the reason if any. */
  close(error?: AteError): Promise<CloseReason> {
    return this.#connection.close(error)
  }

  #send(message: Omit<Message, 'body'>, body: Packable): void {
    this.#connection.send(encodeMessage(message, body))
  }

  async #run(): Promise<void> {
    try {
      for await (const value of this.#connection) {
        const message = decodeMessage(value)
        if (message.kind === 'push') await this.#takePush(message)
        else if (message.kind === 'request') this.#takeRequest(message)
        else this.#takeAnswer(message)
      }
    } catch (error) {
      // What comes from outside ends its own connection at most, even where it meets a defect.
      const wrong = new AteError('BAD_FORMAT', 'A message could not be handled.', { cause: error })
      void this.#connection.close(isAteError(error) ? error : wrong)
    }
    const { code, message } = await this.#connection.closed
    this.#end = new AteError(code, message)
    for (const { fail } of this.#waiting.values()) fail(this.#end)
    this.#waiting.clear()
    this.#channels.clear()
  }

  #takeAnswer(message: Message): void {
    const waiting = this.#waiting.get(message.number)
    if (waiting === undefined) throw new AteError('BAD_FORMAT', 'An answer came to what was not asked.')
    if (message.kind === 'reply' && message.type !== waiting.type)
      throw new AteError('BAD_FORMAT', 'An answer is of another type than the request.')
    this.#waiting.delete(message.number)
    try {
      waiting.settle(message)
    } catch (error) {
      if (isAteError(error)) waiting.fail(error)
      throw error
    }
  }

  async #takePush({ channel, type, body }: Message): Promise<void> {
    // Others are of a later version, or go to a channel that was left meanwhile.
    if (isPushType(type)) await this.#handlePush(type, this.#channels.get(channel)?.pushes?.[type], body)
  }

  async #handlePush<T extends PushType>(type: T, handle: PushHandlers[T] | undefined, body: unknown): Promise<void> {
    const checked = PUSHES[type](body, type)
    await handle?.(checked)
  }

  #takeRequest({ channel, number, type, body }: Message): void {
    if (this.#unanswered >= MAX_UNANSWERED) throw new AteError('BAD_FORMAT', 'Too many requests are unanswered.')
    this.#unanswered++
    void this.#answer(this.#channels.get(channel)?.requests, type, body)
      .then(
        (reply) => this.#send({ channel, kind: 'reply', number, type }, reply),
        (error: unknown) => this.#refuse({ channel, kind: 'failure', number, type }, error),
      )
      .catch((error: unknown) => void this.#connection.close(isAteError(error) ? error : undefined))
      .finally(() => this.#unanswered--)
  }

  /** A malformed request ends the connection; any other failure is an answer. */
  #refuse(message: Omit<Message, 'body'>, error: unknown): void {
    if (error instanceof MalformedRequest) throw error.why
    this.#send(message, encodeFailure(error))
  }

  async #answer(handlers: RequestHandlers | undefined, type: string, body: unknown): Promise<Packable> {
    if (!isRequestType(type)) throw new AteError('NOT_SUPPORTED', 'There is no such request.')
    return await this.#handleRequest(type, handlers, body)
  }

  async #handleRequest<T extends RequestType>(
    type: T,
    handlers: RequestHandlers | undefined,
    body: unknown,
  ): Promise<RequestMap[T]['reply']> {
    const checked = checkedRequest(type, body)
    if (handlers === undefined) throw new AteError('CHAIN_CLOSED', 'The channel is not open.')
    const handle: RequestHandlers[T] = handlers[type]
    if (handle === undefined) throw new AteError('NOT_SUPPORTED', `Nobody answers ${type} here.`)
    return await handle(checked)
  }
}

class MalformedRequest extends Error {
  constructor(readonly why: AteError) {
    super(why.message)
  }
}

function checkedRequest<T extends RequestType>(type: T, body: unknown): RequestMap[T]['request'] {
  try {
    return REQUESTS[type].request(body, type)
  } catch (error) {
    throw isAteError(error) ? new MalformedRequest(error) : error
  }
}

function gaveUp(code: ErrorCode, type: string): AteError {
  return new AteError(
    code,
    code === 'ABORTED' ? `The request ${type} was given up.` : `The request ${type} was not answered in time.`,
  )
}
