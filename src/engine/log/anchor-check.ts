/** Compares a log with what is known outside it to have been durable. */
import { equalBytes } from '../bytes/equal.js'
import type { ChainState } from './chain-state.js'
import type { Anchor } from './format/anchor-format.js'
import type { SegmentEntry } from './format/manifest-format.js'

export class AnchorCheck {
  readonly #anchor: Anchor | undefined
  #digestSeen: Uint8Array | undefined

  constructor(anchor: Anchor | undefined) {
    this.#anchor = anchor
  }

  /** Sequence up to which batches were durable; 0 when nothing is known. */
  get durableSequence(): number {
    return this.#anchor?.sequence ?? 0
  }

  /** To be told a state of the log that is verified: its start or its end. */
  noteState({ sequence, digest }: Pick<ChainState, 'sequence' | 'digest'>): void {
    if (sequence === this.#anchor?.sequence) this.#digestSeen = digest
  }

  /** What is wrong with a log that ends in `end`, one sentence; undefined when nothing is. */
  problem(segments: readonly SegmentEntry[], end: ChainState): string | undefined {
    const anchor = this.#anchor
    if (anchor === undefined) return undefined
    if (end.sequence < anchor.sequence) {
      return `The log ends with batch ${end.sequence}, but batch ${anchor.sequence} was durable before.`
    }
    const closing = segments.find((entry) => entry.closing?.lastSequence === anchor.sequence)?.closing
    const digest = this.#digestSeen ?? closing?.lastDigest
    // Its frame is damaged: fsck and whoever reads it say so.
    if (digest === undefined || equalBytes(digest, anchor.digest)) return undefined
    return `The log has another batch ${anchor.sequence} than it had before.`
  }
}
