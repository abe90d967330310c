/**
 * Services: typed requests and answers that travel through a chain. Every request is answered once, by one of those who
 * serve it; an error of the handler is the answer too.
 */
import { AteError, type ErrorCode, errorCode, isAteError } from '../error.js'
import type { AteSession } from '../trust/session.js'
import type { ChainAccess } from './chain-access.js'
import { Deadline } from './deadline.js'
import { infoOf, keyOf } from './dao-state.js'
import type { Dao, DaoMap, DaoMapMut, DaoMut, Subscription } from './dao.js'
import { type DataType, dataType, type InputOf } from './data-type.js'
import type { Dio } from './dio.js'
import type { DioMut } from './dio-mut.js'
import { childOf, mapOf } from './link-definition.js'
import type { ObjectKey } from './object-key.js'
import { type Handler, type OnFailure, Queue, type QueueOptions, type WorkOptions } from './queue.js'
import { plain } from './standard-schema.js'

/** A service: what it is asked and what it answers. Made by `service`. */
export interface Service<Q extends DataType, A extends DataType> {
  /** What it is found by in a chain. */
  readonly name: string
  /** The type of requests. */
  readonly request: Q
  /** The type of answers. */
  readonly answer: A
}

/** Names a service and says what it is asked and what it answers. */
export function service<Q extends DataType, A extends DataType>(name: string, request: Q, answer: A): Service<Q, A> {
  return { name, request, answer }
}

/** How long an answer is waited for. */
export interface InvokeOptions {
  /** TIMED_OUT after it. The default is 30 seconds. */
  timeoutMs?: number
  /** Ends the waiting. ABORTED. */
  signal?: AbortSignal
  /** Who asks: where there are rules, his keys must allow it. */
  session?: AteSession
}

/** Answers a request. What it changes through `dio` is committed with the answer; when it throws, the error is the answer. */
export type Answerer<Q, A> = (request: DaoMut<Q>, dio: DioMut, signal: AbortSignal) => Promise<InputOf<A>> | InputOf<A>

const DEFAULT_TIMEOUT_MS = 30_000
/** Whoever answers at the same moment is in the way once or twice. */
const FORGET_RETRIES = 100

/** Whoever asked has his answer at once, or is gone: what lies longer is nobody's. */
const KEPT_MS = 60 * 60_000

/** What a commit is refused with however often it is tried. */
const FINAL: ReadonlySet<string> = new Set<ErrorCode>([
  'BAD_ARGUMENT',
  'INVALID_OBJECT',
  'OBJECT_TOO_LARGE',
  'TRANSACTION_TOO_LARGE',
  'NOT_AUTHORIZED',
  'NO_READ_KEY',
  'SESSION_EXPIRED',
  'REFUSED',
])

/** An answer, or why there is none. */
const replyType = (answer: DataType) =>
  dataType('atefs.Reply', plain<{ error?: { code: string; message: string } }>(), {
    links: { answer: childOf(answer) },
  })

/** Where answers lie, by the key of their request, until they are fetched. */
const inboxType = (answer: DataType) =>
  dataType('atefs.Inbox', plain<{ name: string }>(), { links: { replies: mapOf(replyType(answer)) } })

/** A service as it lies in a chain. */
class ServicePlace<Q extends DataType> {
  readonly queue: Queue<Q>
  readonly #chain: ChainAccess
  readonly #who: { session?: AteSession }
  readonly #type: ReturnType<typeof inboxType>
  readonly #key: ObjectKey
  #forgottenMs = 0

  private constructor(
    chain: ChainAccess,
    who: { session?: AteSession },
    queue: Queue<Q>,
    type: ReturnType<typeof inboxType>,
    key: ObjectKey,
  ) {
    this.#chain = chain
    this.#who = who
    this.queue = queue
    this.#type = type
    this.#key = key
  }

  static async open<Q extends DataType>(
    chain: ChainAccess,
    { name, request, answer }: Service<Q, DataType>,
    options: QueueOptions = {},
  ): Promise<ServicePlace<Q>> {
    const type = inboxType(answer)
    const key = chain.keyOfName('inbox', name)
    await chain.transact(async (dio) => {
      if (!(await dio.exists(key))) dio.store({ name }, { type, key })
    }, by(options))
    const queue = await Queue.open(chain, `service ${name}`, request, options)
    return new ServicePlace(chain, by(options), queue, type, key)
  }

  /** Takes answers away that nobody has fetched: who asked has ended without a word. Looks for them once in a while. */
  async forgetOld(): Promise<void> {
    const nowMs = this.#chain.nowMs()
    if (nowMs < this.#forgottenMs + KEPT_MS) return
    this.#forgottenMs = nowMs
    try {
      await this.#chain.transact(async (dio) => {
        const replies = await this.replies(dio)
        const old: string[] = []
        for await (const [name, reply] of replies)
          if ((infoOf(reply).createdAt?.getTime() ?? nowMs) <= nowMs - KEPT_MS) old.push(name)
        for (const name of old) await replies.delete(name)
      }, this.#who)
    } catch (error) {
      // Others forget them, or the next time does. What else is wrong, whoever works on is told.
      if (!isAteError(error)) throw error
    }
  }

  /** On its own: nobody holds what was read for it while an answer is waited for. */
  async subscribe(): Promise<Subscription<ReturnType<typeof replyType>>> {
    return (await this.replies(this.#chain.dio(this.#who.session))).subscribe()
  }

  replies(dio: DioMut): Promise<DaoMapMut<ReturnType<typeof replyType>>>
  replies(dio: Dio): Promise<DaoMap<ReturnType<typeof replyType>>>
  async replies(dio: Dio): Promise<DaoMap<ReturnType<typeof replyType>>> {
    return (await dio.load(this.#type, this.#key)).replies
  }
}

/** Answers requests as they come, until `signal`; resolves when nothing is under way any more. */
export async function serve<Q extends DataType, A extends DataType>(
  chain: ChainAccess,
  service: Service<Q, A>,
  answerer: Answerer<Q, A>,
  options: WorkOptions & QueueOptions,
): Promise<void> {
  const { signal, concurrency, ...queueOptions } = options
  const place = await ServicePlace.open(chain, service, queueOptions)
  await place.forgetOld()
  const answer: Handler<Q> = async (request, dio, lease) => {
    void place.forgetOld()
    const error = await errorOf(async () => {
      const answer = await answerer(request, dio, lease)
      ;(await place.replies(dio)).set(keyOf(request), {}).answer.store(answer)
    })
    if (error === undefined) return
    // What a handler that failed has done is given up; that it failed is not.
    dio.cancel()
    ;(await place.replies(dio)).set(keyOf(request), { error })
  }
  const onFailure: OnFailure<Q> = async (request, dio, { error, isLast }) => {
    if (!isLast && !FINAL.has(errorCode(error) ?? '')) return false
    ;(await place.replies(dio)).set(keyOf(request), { error: saidOf(error) })
    return true
  }
  await place.queue.processWith(answer, { signal, concurrency }, onFailure)
}

/** Asks a service and waits for its answer. SERVICE_FAILED with what its handler said, TIMED_OUT, ABORTED. */
export async function invoke<Q extends DataType, A extends DataType>(
  chain: ChainAccess,
  service: Service<Q, A>,
  request: InputOf<Q>,
  options: InvokeOptions = {},
): Promise<Dao<A>> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options
  const place = await ServicePlace.open(chain, service, by(options))
  using replies = await place.subscribe()
  const key = await place.queue.send(request)
  using deadline = new Deadline({ timeoutMs, signal })
  deadline.signal.addEventListener('abort', () => replies[Symbol.dispose]())
  if (deadline.signal.aborted) replies[Symbol.dispose]()
  try {
    for await (const reply of replies) {
      if (reply.kind !== 'stored' || reply.name !== key) continue
      const { error } = reply.dao
      if (error !== undefined)
        throw new AteError('SERVICE_FAILED', error.message, { cause: Object.assign(new Error(error.message), error) })
      const answer = await reply.dao.answer.load()
      // Of the type that the service answers with.
      if (answer !== undefined) return answer as Dao<A>
    }
    throw deadline.isGivenUp
      ? new AteError('ABORTED', `The service ${service.name} was not waited for.`)
      : new AteError('TIMED_OUT', `The service ${service.name} did not answer within ${timeoutMs} ms.`)
  } finally {
    await forget(chain, place, key, by(options))
  }
}

/** Takes away the answer, and the request when nobody has answered it. */
async function forget(
  chain: ChainAccess,
  place: ServicePlace<DataType>,
  key: ObjectKey,
  who: { session?: AteSession },
): Promise<void> {
  await chain.transact(
    async (dio) => {
      await (await place.replies(dio)).delete(key)
      await place.queue.withdrawIn(dio, key)
    },
    { retries: FORGET_RETRIES, ...who },
  )
}

function by({ session }: { session?: AteSession }): { session?: AteSession } {
  return session === undefined ? {} : { session }
}

/** What a handler failed with, or its answer is refused for. */
async function errorOf(answer: () => Promise<void>): Promise<{ code: string; message: string } | undefined> {
  try {
    await answer()
    return undefined
  } catch (error) {
    return saidOf(error)
  }
}

function saidOf(error: unknown): { code: string; message: string } {
  return { code: errorCode(error) ?? '', message: error instanceof Error ? error.message : String(error) }
}
