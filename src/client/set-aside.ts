/** What was committed here while others, whom the server heard first, went on. */
import { AteError } from '../engine/error.js'

/** The histories are the same up to `sequence`; what is here behind it is no part of the chain. */
export class Diverged extends AteError {
  readonly sequence: number

  constructor(sequence: number) {
    super(
      'COMMIT_SET_ASIDE',
      `Others went on from batch ${sequence}: what was committed here behind it is not part of the chain.`,
      {
        hint: 'Close the chain and open it again: then it is as the server has it, and what was made here lies beside it.',
      },
    )
    this.sequence = sequence
  }
}
