/** Who reads states of the records that may be older than the current one: nothing that only those refer to may go. */

/**
 * How often it is looked whether readers are gone, when some were there: the collector tells nobody. After the limit, what
 * they may read is left for the next compaction.
 */
const PATIENCE = { pollMs: 500, limitMs: 10_000 }

export interface OlderReadersOptions {
  /** Lets the platform find out what nobody holds any more: who reads an older state need not say when he is done. */
  collectGarbage?: (() => void) | undefined
  /** How a compaction waits for them. */
  readers?: typeof PATIENCE | undefined
}

export class OlderReaders {
  readonly #marks: (() => () => boolean)[] = []
  readonly #options: OlderReadersOptions

  constructor(options: OlderReadersOptions) {
    this.#options = options
  }

  /** See `RecordView.keepBodiesFor`. */
  add(mark: () => () => boolean): void {
    this.#marks.push(mark)
  }

  /** Tells whether all are gone that read an older state now. */
  mark(): () => boolean {
    const marks = this.#marks.map((mark) => mark())
    return () => marks.every((areGone) => areGone())
  }

  /** False when somebody reads on, or when it is over before. */
  async outwait(isOver: () => boolean): Promise<boolean> {
    const areGone = this.mark()
    const { collectGarbage, readers: { pollMs, limitMs } = PATIENCE } = this.#options
    for (let waitedMs = 0; !areGone();) {
      if (waitedMs >= limitMs) return false
      await new Promise((resolve) => setTimeout(resolve, pollMs))
      if (isOver()) return false
      waitedMs += pollMs
      // Seldom, and before they are asked: what was just asked for is held until the end of the turn.
      if (Number.isInteger(Math.log2(waitedMs / pollMs))) collectGarbage?.()
    }
    return true
  }
}
