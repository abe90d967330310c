/**
 * The turn to change a chain that programs on several machines change. Only who has it appends: so nothing is ever made again
 * because somebody else was faster. Whoever waits for it sees the others' changes before it comes.
 */
import type { WriterStatus } from './committer.js'

export interface WriterTurn {
  /**
   * Undefined while the turn is held: it covers what is changed before control goes back to the event loop. Else a promise: ask
   * again behind it. It rejects when the turn cannot come: READ_ONLY, TIMED_OUT, CHAIN_CLOSED.
   */
  acquire(): Promise<void> | undefined
  /** The local log has batches up to `status.headSequence`, made here or taken in. */
  onAppended(status: WriterStatus): void
}
