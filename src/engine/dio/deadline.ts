/** An end to waiting: a caller's signal, a time, or both. It keeps a program alive that waits, until it is disposed of. */
export class Deadline implements Disposable {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #given: AbortSignal | undefined
  readonly #abort = (): void => this.#controller.abort()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ timeoutMs, signal }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined }) {
    this.signal = this.#controller.signal
    this.#given = signal
    if (timeoutMs !== undefined) this.#timer = setTimeout(this.#abort, timeoutMs)
    if (signal?.aborted === true) this.#abort()
    else signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** It was the caller who ended it, not the time. */
  get isGivenUp(): boolean {
    return this.#given?.aborted === true
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#given?.removeEventListener('abort', this.#abort)
  }
}
