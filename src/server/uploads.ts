/**
 * What writers bring, on its way into the log: written in order, made durable together, and only then told to anybody. What
 * cannot be taken is refused, and with it everything behind it that was brought with the same turn.
 */
import { AteError, isAteError } from '../engine/error.js'
import type { BatchBytes, ReceivedBatch } from '../engine/log/index.js'
import type { RelayLog } from './relay-log.js'

/** Who brings batches: a channel of a connection. */
export interface Uploader {
  refused(term: number, sequence: number, why: AteError): void
}

export interface Upload {
  readonly run: readonly BatchBytes[]
  readonly bytes: number
  readonly term: number
  readonly by: Uploader
  /** Called when it is written, or refused. */
  readonly onTaken?: () => void
}

export interface TakenBatch {
  readonly batch: ReceivedBatch
  readonly by: Uploader
}

interface WrittenBatch extends TakenBatch {
  /** With which it was brought. */
  readonly upload: number
}

export interface UploadsOptions {
  readonly log: Pick<RelayLog, 'receive' | 'reachDurable' | 'durableSequence' | 'head'>
  /** Bytes that may wait. */
  readonly maxBytes: number
  /** Called in order with everything that has become durable. */
  readonly onDurable: (batches: readonly TakenBatch[]) => void
  /** The storage has failed: nothing more is taken. */
  readonly onFailure: (error: unknown) => void
  /** There was no room for a batch: what comes later may find some. */
  readonly onNoSpace?: (error: unknown) => void
}

export class Uploads {
  readonly #options: UploadsOptions
  #queue: Upload[] = []
  #waitingBytes = 0
  /** Not durable yet. */
  #written: WrittenBatch[] = []
  /** How many uploads were brought, and how many of them written or refused. */
  #brought = 0
  #taken = 0
  #isWriting = false
  #isSyncing = false
  #refusedTerm = 0
  #failure: AteError | undefined
  #forRoom: (() => void)[] = []
  #forEnd: { readonly upload: number; readonly resolve: () => void }[] = []

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  /** A promise when so much waits that nobody should bring more until it resolves. */
  add(upload: Upload): Promise<void> | undefined {
    this.#queue.push(upload)
    this.#brought++
    this.#waitingBytes += upload.bytes
    if (!this.#isWriting) {
      this.#isWriting = true
      // What arrives together is written together.
      queueMicrotask(() => void this.#write())
    }
    if (this.#waitingBytes <= this.#options.maxBytes) return undefined
    return new Promise((resolve) => this.#forRoom.push(resolve))
  }

  /** Resolves when everything that was brought until now is durable, or refused. */
  settled(): Promise<void> {
    const upload = this.#brought
    if (this.#settledUploads >= upload) return Promise.resolve()
    return new Promise((resolve) => this.#forEnd.push({ upload, resolve }))
  }

  get #settledUploads(): number {
    const [first] = this.#written
    return first === undefined ? this.#taken : first.upload - 1
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      for (const upload of this.#queue.splice(0)) {
        await this.#take(upload)
        this.#taken++
        this.#waitingBytes -= upload.bytes
        upload.onTaken?.()
        this.#tellSettled()
      }
      this.#syncSoon()
      for (const resolve of this.#forRoom.splice(0)) resolve()
    }
    this.#isWriting = false
  }

  async #take({ run, term, by }: Upload): Promise<void> {
    if (term === this.#refusedTerm) return
    const { log } = this.#options
    try {
      if (this.#failure !== undefined) throw this.#failure
      for (const batch of await log.receive(run)) this.#written.push({ batch, by, upload: this.#taken + 1 })
    } catch (error) {
      this.#refusedTerm = term
      const why = isAteError(error) ? error : new AteError('INPUT_OUTPUT', 'The batch could not be taken.')
      by.refused(term, log.head.sequence + 1, why)
      if (why.code === 'WRITE_FAILED') this.#fail(error)
      if (why.code === 'NO_SPACE') this.#options.onNoSpace?.(error)
    }
  }

  #syncSoon(): void {
    if (this.#isSyncing || this.#written.length === 0) return
    this.#isSyncing = true
    void this.#sync()
  }

  /** One after another, each for all that was written when it began. */
  async #sync(): Promise<void> {
    const { log, onDurable } = this.#options
    try {
      while (this.#written.length > 0) {
        await log.reachDurable()
        const { durableSequence } = log
        const first = this.#written.findIndex(({ batch }) => batch.sequence > durableSequence)
        const taken = first < 0 ? this.#written.splice(0) : this.#written.splice(0, first)
        if (taken.length > 0) onDurable(taken)
        this.#tellSettled()
      }
    } catch (error) {
      this.#fail(error)
      // What was written since the failure is refused too.
      this.#written = []
    }
    this.#isSyncing = false
    this.#tellSettled()
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = isAteError(error) ? error : new AteError('WRITE_FAILED', 'The storage failed.', { cause: error })
    this.#written = []
    this.#options.onFailure(error)
  }

  #tellSettled(): void {
    const settled = this.#settledUploads
    const over = this.#forEnd.filter(({ upload }) => upload <= settled)
    if (over.length === 0) return
    this.#forEnd = this.#forEnd.filter(({ upload }) => upload > settled)
    for (const { resolve } of over) resolve()
  }
}
