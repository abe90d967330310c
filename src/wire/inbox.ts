/** Messages that have come and were not taken yet. Reading stops when they are too many, and goes on when half are taken. */
import type { AteError } from '../engine/error.js'

/** What a message costs here beside its bytes. */
const ENTRY_BYTES = 128

interface Waiting {
  resolve: (result: IteratorResult<Uint8Array, undefined>) => void
  reject: (error: AteError) => void
}

export interface InboxEvents {
  full(): void
  /** It was full, and has room again. */
  hasRoom(): void
}

export class Inbox {
  readonly #maxBytes: number
  readonly #events: InboxEvents
  #messages: Uint8Array[] = []
  #taken = 0
  #bytes = 0
  #isFull = false
  #end: { error: AteError | undefined } | undefined
  readonly #waiting: Waiting[] = []

  constructor(maxBytes: number, events: InboxEvents) {
    this.#maxBytes = maxBytes
    this.#events = events
  }

  get isFull(): boolean {
    return this.#isFull
  }

  add(messages: readonly Uint8Array[]): void {
    if (this.#end !== undefined) return
    for (const message of messages) {
      const waiting = this.#waiting.shift()
      if (waiting !== undefined) {
        waiting.resolve({ value: message, done: false })
      } else {
        this.#messages.push(message)
        this.#bytes += message.length + ENTRY_BYTES
      }
    }
    if (this.#isFull || this.#bytes <= this.#maxBytes) return
    this.#isFull = true
    this.#events.full()
  }

  /** Nothing comes any more; what has come can still be taken. The first end counts. */
  end(error?: AteError): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    for (const waiting of this.#waiting.splice(0)) this.#answerEnd(waiting, error)
  }

  /** What has come and was not taken is forgotten. */
  clear(): void {
    this.#messages = []
    this.#taken = 0
    this.#bytes = 0
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const message = this.#messages[this.#taken]
    if (message !== undefined) {
      this.#take(message)
      return Promise.resolve({ value: message, done: false })
    }
    const end = this.#end
    return new Promise((resolve, reject) => {
      if (end === undefined) this.#waiting.push({ resolve, reject })
      else this.#answerEnd({ resolve, reject }, end.error)
    })
  }

  /** Taken ones are cut off in bulk: shifting a long array for each would take quadratic time. */
  #take(message: Uint8Array): void {
    this.#taken++
    this.#bytes -= message.length + ENTRY_BYTES
    if (this.#taken >= 1024 || this.#taken === this.#messages.length) {
      this.#messages = this.#messages.slice(this.#taken)
      this.#taken = 0
    }
    if (!this.#isFull || this.#bytes > this.#maxBytes / 2) return
    this.#isFull = false
    this.#events.hasRoom()
  }

  #answerEnd({ resolve, reject }: Waiting, error: AteError | undefined): void {
    if (error === undefined) resolve({ value: undefined, done: true })
    else reject(error)
  }
}
