/**
 * Pieces of several bodies on their way into one memory. Whatever comes of them, it is nobody else's before the last has come: one that
 * is late would be written into what the memory is used for next.
 */
export class Fetches {
  #underWay: Promise<void>[] | undefined

  get isEmpty(): boolean {
    return this.#underWay === undefined
  }

  /** Begins one, or does it at once. Throws what `copy` throws where nothing is on its way; else `settled` does. */
  add(copy: () => Promise<void> | undefined): void {
    try {
      const fetch = copy()
      if (fetch !== undefined) this.#note(fetch)
    } catch (error) {
      if (this.#underWay === undefined) throw error
      this.#note(
        Promise.resolve().then(() => {
          throw error
        }),
      )
    }
  }

  /** All have come, or will not. Throws what the first that failed threw. */
  async settled(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#underWay ?? [])
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  #note(fetch: Promise<void>): void {
    // Somebody looks at it later.
    fetch.catch(() => undefined)
    ;(this.#underWay ??= []).push(fetch)
  }
}
