/** Events for one subscriber, in order, as he asks for them. Who does not ask for too long is told so, and stalls nobody. */
import { AteError, errorCode } from '../error.js'

const MAX_WAITING = 10_000
/** Of what waits, as it is stored. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024

interface Asking<T> {
  resolve: (result: T | undefined) => void
  reject: (error: unknown) => void
}

export class EventQueue<Raw, Event> implements AsyncIterableIterator<Event>, Disposable {
  readonly #read: (raw: Raw) => Promise<Event>
  readonly #onClose: () => void
  #waiting: { raw: Raw; bytes: number }[] = []
  #waitingBytes = 0
  #asking: Asking<{ raw: Raw }>[] = []
  #failure: Error | undefined
  #isClosed = false

  /** `read` makes events of what is pushed, when they are asked for; `onClose` is called once, when nothing more is wanted. */
  constructor(read: (raw: Raw) => Promise<Event>, onClose: () => void) {
    this.#read = read
    this.#onClose = onClose
  }

  /** `bytes`: about what it takes in memory while it waits. */
  push(raw: Raw, bytes = 0): void {
    if (this.#isClosed) return
    const asking = this.#asking.shift()
    if (asking !== undefined) asking.resolve({ raw })
    else if (this.#waiting.length < MAX_WAITING && this.#waitingBytes + bytes <= MAX_WAITING_BYTES) {
      this.#waiting.push({ raw, bytes })
      this.#waitingBytes += bytes
    } else if (this.#waiting.length < MAX_WAITING)
      this.#fail(new AteError('LAGGED', `More than ${MAX_WAITING_BYTES} bytes of events wait for a subscriber.`))
    else this.#fail(new AteError('LAGGED', `More than ${MAX_WAITING} events wait for a subscriber: it gets no more.`))
  }

  async next(): Promise<IteratorResult<Event>> {
    const waiting = this.#waiting.shift()
    this.#waitingBytes -= waiting?.bytes ?? 0
    const item = waiting ?? (await this.#take())
    if (item === undefined) return { value: undefined, done: true }
    try {
      return { value: await this.#read(item.raw), done: false }
    } catch (error) {
      if (errorCode(error) === 'LAGGED') this.close()
      throw error
    }
  }

  /** For `break`. */
  async return(): Promise<IteratorResult<Event>> {
    this.close()
    return { value: undefined, done: true }
  }

  /** Ends it: nothing more is given out. */
  close(): void {
    this.#waiting = []
    this.#waitingBytes = 0
    this.#end()
    for (const { resolve } of this.#asking.splice(0)) resolve(undefined)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(): Promise<{ raw: Raw } | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#isClosed) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => this.#asking.push({ resolve, reject }))
  }

  /** What waits is still given out, then the error. */
  #fail(error: Error): void {
    this.#failure = error
    this.#end()
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#onClose()
  }
}
