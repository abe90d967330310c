/**
 * The turn to change a chain that programs on several machines change. Only who has it appends: so nothing is ever made again
 * because somebody else was faster. Whoever waits for it sees the others' changes before it comes.
 */
import type { ReceivedBatch } from '../log/index.js'
import type { WriterStatus } from './committer.js'

export interface WriterTurn {
  /**
   * Undefined while the turn is held: it covers what is changed before control goes back to the event loop. Else a promise: ask
   * again behind it. It rejects when the turn cannot come: READ_ONLY, TIMED_OUT, CHAIN_CLOSED.
   */
  acquire(): Promise<void> | undefined
  /** The local log has batches up to `status.headSequence`, made here or taken in. */
  onAppended(status: WriterStatus): void
  /** The turn, which is held, is not given back before what this returns is called: for a moment only. */
  hold(): () => void
  /** The last batch of the local log may drop bodies: their space goes when the server has it as well. */
  onDropped(sequence: number): void
  /** These were made elsewhere, and are kept. */
  onReceived(run: readonly ReceivedBatch[]): void
  /**
   * Resolves when the server knows what the chain has dropped, and the space of it is given back here, with its bytes.
   * TIMED_OUT while the server is away, and what failed: later it is done again.
   */
  giveBack(): Promise<number>
}

/** Resolves when the turn is held, and rejects as `acquire`. What follows without a pause is covered. */
export async function heldTurn(turn: WriterTurn): Promise<void> {
  for (let wait = turn.acquire(); wait !== undefined; wait = turn.acquire()) await wait
}

/** Does something with the turn, which is kept until that is done. Fails as `heldTurn` does. */
export async function inTurn<T>(turn: WriterTurn, act: () => Promise<T>): Promise<T> {
  await heldTurn(turn)
  const letGo = turn.hold()
  try {
    return await act()
  } finally {
    letGo()
  }
}

/** The turn that a compaction takes for a moment, on the other side of a thread. */
export class TurnOfCompaction {
  readonly #turn: () => WriterTurn | undefined
  #letGo: () => void = () => undefined

  constructor(turn: () => WriterTurn | undefined) {
    this.#turn = turn
  }

  /** True when it has come: it is kept until `end`. */
  async take(): Promise<boolean> {
    const turn = this.#turn()
    if (turn === undefined) return false
    try {
      await heldTurn(turn)
    } catch {
      return false
    }
    this.#letGo = turn.hold()
    return true
  }

  end(status: WriterStatus): void {
    this.#turn()?.onAppended(status)
    this.#turn()?.onDropped(status.headSequence)
    this.#letGo()
  }
}
