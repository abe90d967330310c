/** How much is fetched beyond what was asked for: nothing for who reads here and there, more and more for who reads in order. */

/** As many as one answer can bring of 64 KiB each, with the one that was asked for. */
const MAX_AHEAD = 6

export class ReadAhead {
  /** Behind the last that was read or fetched. */
  #next = -1
  #window = 0

  /** It was there. */
  noteRead(body: number): void {
    if (body >= this.#next) this.#next = body + 1
  }

  /** Of the bodies behind this one, which is about to be fetched. */
  wanted(body: number): number {
    const isInOrder = this.#next >= 0 && body >= this.#next && body <= this.#next + this.#window
    this.#window = isInOrder ? Math.min(MAX_AHEAD, Math.max(1, this.#window * 2)) : 0
    this.#next = body + 1
    return this.#window
  }
}
