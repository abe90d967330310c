/** A segment file that several read at the same time, opened once: closed when it is let go of and nobody reads it any more. */
import type { SegmentEntry } from './format/manifest-format.js'
import { openSegment, type OpenSegment, type SegmentSource } from './segment-open.js'

export class SharedSegment {
  readonly number: number
  readonly #opening: Promise<OpenSegment>
  #users = 0
  #isLetGo = false

  /** Who uses it is told when it cannot be opened. */
  constructor(source: SegmentSource, entry: SegmentEntry) {
    this.number = entry.number
    this.#opening = openSegment(source, entry)
    this.#opening.catch(() => (this.#isLetGo = true))
  }

  /** Another one is to be opened instead. */
  get isOver(): boolean {
    return this.#isLetGo
  }

  /** What `openSegment` throws. The file stays open until `read` resolves. */
  async use<T>(read: (segment: OpenSegment) => Promise<T>): Promise<T> {
    this.#users++
    try {
      return await read(await this.#opening)
    } finally {
      this.#users--
      await this.#closeUnused()
    }
  }

  async letGo(): Promise<void> {
    if (this.#isLetGo) return
    this.#isLetGo = true
    await this.#closeUnused()
  }

  async #closeUnused(): Promise<void> {
    if (!this.#isLetGo || this.#users > 0) return
    const opened = await this.#opening.catch(() => undefined)
    await opened?.file.close()
  }
}
