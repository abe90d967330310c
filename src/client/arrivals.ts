/**
 * What the server pushes of a chain, in order: batches are put together from their parts and taken in in runs, one run at a time,
 * and everything else takes its turn behind the batches that came before it. Whoever sends faster than that waits.
 */
import { type BatchBytes, withSignatures } from '../engine/log/index.js'
import { AteError } from '../engine/error.js'
import { BatchJoiner, type BatchPart } from '../sync/index.js'

/** Batches that wait, above which nothing more is read from the connection. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024
/** Taken in at once. */
const MAX_RUN_BYTES = 4 * 1024 * 1024
const MAX_RUN_BATCHES = 256

export interface ArrivalOptions {
  /** Those that share signatures come together. */
  isSigned: boolean
  /** Rejects when they cannot be taken in: nothing more is given to it then. */
  take: (run: readonly BatchBytes[]) => Promise<void>
  /** What `take` or something that was to be done failed with. */
  onFailure: (error: unknown) => void
}

/** `drop`: it is over before. */
type Arrival =
  { readonly batch: BatchBytes } | { readonly then: () => void | Promise<void>; readonly drop?: () => void }

export class Arrivals {
  readonly #options: ArrivalOptions
  readonly #joiner = new BatchJoiner()
  #waiting: Arrival[] = []
  #waitingBytes = 0
  /** Batches whose signatures have not come. */
  #unsigned: BatchBytes[] = []
  #parts = 0
  #isTaking = false
  #isOver = false
  #resume: (() => void) | undefined

  constructor(options: ArrivalOptions) {
    this.#options = options
  }

  /** How many parts of batches have come. */
  get parts(): number {
    return this.#parts
  }

  /** A part of a batch. A promise: nothing more is to be read before it. BAD_FORMAT. */
  add({ bytes, more }: BatchPart): Promise<void> | undefined {
    this.#parts++
    const batch = this.#joiner.add(bytes, more)
    if (batch === undefined || this.#isOver) return undefined
    this.#waitingBytes += bytesOf(batch)
    this.#push({ batch })
    if (this.#waitingBytes <= MAX_WAITING_BYTES) return undefined
    return new Promise((resolve) => (this.#resume = resolve))
  }

  /** Does something when all that came before is taken in. What it throws goes to `onFailure`. */
  afterwards(then: () => void | Promise<void>): void {
    if (!this.#isOver) this.#push({ then })
  }

  /** Resolves when all that has come so far is taken in. CONNECTION_LOST when it is over before. */
  drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const drop = (): void => reject(new AteError('CONNECTION_LOST', 'What was on its way does not come any more.'))
      if (this.#isOver) drop()
      else this.#push({ then: resolve, drop })
    })
  }

  /** Nothing more is taken in. What is under way ends. */
  end(): void {
    this.#isOver = true
    for (const arrival of this.#waiting.splice(0)) if ('then' in arrival) arrival.drop?.()
    this.#resume?.()
  }

  #push(arrival: Arrival): void {
    this.#waiting.push(arrival)
    if (!this.#isTaking) void this.#takeAll()
  }

  async #takeAll(): Promise<void> {
    this.#isTaking = true
    try {
      while (this.#waiting.length > 0 && !this.#isOver) {
        const [first] = this.#waiting
        if (first !== undefined && 'then' in first) {
          this.#waiting.shift()
          await first.then()
        } else await this.#takeRun(this.#nextRun())
      }
    } catch (error) {
      this.end()
      this.#options.onFailure(error)
    } finally {
      this.#isTaking = false
    }
  }

  #nextRun(): BatchBytes[] {
    const run: BatchBytes[] = []
    let bytes = 0
    for (;;) {
      const [next] = this.#waiting
      const isFull = run.length > 0 && (bytes >= MAX_RUN_BYTES || run.length >= MAX_RUN_BATCHES)
      if (next === undefined || !('batch' in next) || isFull) return run
      this.#waiting.shift()
      run.push(next.batch)
      bytes += bytesOf(next.batch)
    }
  }

  async #takeRun(run: readonly BatchBytes[]): Promise<void> {
    try {
      if (!this.#options.isSigned) await this.#options.take(run)
      else await this.#takeSigned(run)
    } finally {
      this.#waitingBytes -= run.reduce((sum, batch) => sum + bytesOf(batch), 0)
      this.#resume?.()
      this.#resume = undefined
    }
  }

  /** What lacks its signatures waits for those that come with a later batch. */
  async #takeSigned(run: readonly BatchBytes[]): Promise<void> {
    const batches = [...this.#unsigned, ...run]
    const count = withSignatures(batches)
    this.#unsigned = batches.slice(count)
    if (count > 0) await this.#options.take(batches.slice(0, count))
  }
}

function bytesOf({ head, groups }: BatchBytes): number {
  return head.length + groups.length
}
