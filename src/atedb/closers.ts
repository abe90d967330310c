/** What was started is ended in the opposite order, once, and all of it even where something of it fails. */
export class Closers {
  readonly #steps: (() => Promise<void>)[] = []
  #closing: Promise<void> | undefined

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  /** Rejects with the first failure, after everything. May be called again. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.reverse()) await step().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
}
