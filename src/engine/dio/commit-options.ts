/** How a commit is waited for. */
import { AteError } from '../error.js'
import { Deadline } from './deadline.js'

/**
 * What a commit has survived when it resolves: `memory`, nothing; `local`, a crash of this machine; `server` and
 * `replicated`, the loss of it. One that a chain cannot give is refused.
 */
export type Durability = 'memory' | 'local' | 'server' | 'replicated'

/** What a commit waits for. */
export interface CommitOptions {
  /** The default is the best that the chain gives. */
  durability?: Durability
  /** Ends the commit when nothing has happened yet, or the waiting for its durability. ABORTED. */
  signal?: AbortSignal
  /** The same after so many milliseconds. TIMED_OUT. */
  timeoutMs?: number
}

/** A commit that may be given up. To be disposed of. */
export class CommitWait implements Disposable {
  /** Undefined: it cannot be given up, and costs nothing. */
  readonly #deadline: Deadline | undefined
  #isApplied = false

  constructor(options: CommitOptions) {
    if (options.signal !== undefined || options.timeoutMs !== undefined) this.#deadline = new Deadline(options)
  }

  /** Undefined: it cannot be given up. */
  get signal(): AbortSignal | undefined {
    return this.#deadline?.signal
  }

  /** The last moment at which it can be given up without a change. ABORTED, TIMED_OUT. */
  refuseAborted(): void {
    if (this.#deadline?.signal.aborted === true) throw this.#error(this.#deadline)
    this.#isApplied = true
  }

  /** What `committing` comes to. ABORTED or TIMED_OUT when it is given up first. */
  unlessAborted(committing: Promise<void>): Promise<void> {
    const deadline = this.#deadline
    if (deadline === undefined) return committing
    const aborted = new Promise<never>((_, reject) => {
      deadline.signal.addEventListener('abort', () => reject(this.#error(deadline)), { once: true })
    })
    committing.catch(() => undefined)
    return Promise.race([committing, aborted])
  }

  [Symbol.dispose](): void {
    this.#deadline?.[Symbol.dispose]()
  }

  #error({ isGivenUp }: Deadline): AteError {
    const code = isGivenUp ? 'ABORTED' : 'TIMED_OUT'
    if (!this.#isApplied) return new AteError(code, 'The commit was given up; nothing has been changed.')
    return new AteError(code, 'The commit is made, but it was not waited for until it was durable.')
  }
}
