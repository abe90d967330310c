/** How a commit is waited for. */
import { AteError } from '../error.js'

/**
 * What a commit has survived when it resolves: `memory`, nothing; `local`, a crash of this machine; `server` and
 * `replicated`, the loss of it. One that a chain cannot give is refused.
 */
export type Durability = 'memory' | 'local' | 'server' | 'replicated'

export interface CommitOptions {
  /** The default is the best that the chain gives. */
  durability?: Durability
  /** Ends the commit when nothing has happened yet, or the waiting for its durability. */
  signal?: AbortSignal
  /** The same after so many milliseconds. */
  timeoutMs?: number
}

/** A commit that may be given up. */
export class CommitWait {
  readonly #signal: AbortSignal | undefined
  #isApplied = false

  constructor({ signal, timeoutMs }: CommitOptions) {
    const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
    this.#signal =
      signal === undefined || timeout === undefined ? (signal ?? timeout) : AbortSignal.any([signal, timeout])
  }

  /** The last moment at which it can be given up without a change. ABORTED. */
  refuseAborted(): void {
    if (this.#signal?.aborted === true) throw this.#error()
    this.#isApplied = true
  }

  /** What `committing` comes to. ABORTED when it is given up first. */
  async unlessAborted(committing: Promise<void>): Promise<void> {
    const signal = this.#signal
    if (signal === undefined) return committing
    let onAbort = (): void => undefined
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(this.#error())
      signal.addEventListener('abort', onAbort, { once: true })
    })
    try {
      await Promise.race([committing, aborted])
    } finally {
      signal.removeEventListener('abort', onAbort)
      committing.catch(() => undefined)
    }
  }

  #error(): AteError {
    if (!this.#isApplied) return new AteError('ABORTED', 'The commit was given up; nothing has been changed.')
    return new AteError('ABORTED', 'The commit is made, but it was not waited for until it was durable.')
  }
}
