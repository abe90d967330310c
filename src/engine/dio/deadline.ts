import { after } from '../after.js'

/** An end to waiting: a caller's signal, a time, or both. It keeps a program alive that waits, until it is disposed of. */
export class Deadline implements Disposable {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #given: AbortSignal | undefined
  readonly #abort = (): void => this.#controller.abort()
  readonly #stopTimer: () => void

  constructor({ timeoutMs, signal }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined }) {
    this.signal = this.#controller.signal
    this.#given = signal
    this.#stopTimer = after(timeoutMs ?? Infinity, this.#abort)
    if (signal?.aborted === true) this.#abort()
    else signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** It was the caller who ended it, not the time. */
  get isGivenUp(): boolean {
    return this.#given?.aborted === true
  }

  [Symbol.dispose](): void {
    this.#stopTimer()
    this.#given?.removeEventListener('abort', this.#abort)
  }
}
