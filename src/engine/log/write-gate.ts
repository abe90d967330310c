/** Once the storage has failed under a write nothing more is written: what the medium holds is not known then. */
import { AteError, errorCode } from '../error.js'
import { noSpace } from './reservation.js'

export class WriteGate {
  #failure: unknown

  get isOpen(): boolean {
    return this.#failure === undefined
  }

  /** WRITE_FAILED after a failure. */
  demandOpen(): void {
    if (this.#failure !== undefined) throw writeFailed(this.#failure)
  }

  /** Lets NO_SPACE and a caller's mistakes pass, which change nothing; anything else ends all writing. */
  async guard<T>(action: () => Promise<T>): Promise<T> {
    return await this.orFail(action, (error) => {
      const code = errorCode(error)
      if (code === 'NO_SPACE') return noSpace(error)
      const isPassing = code === 'BAD_ARGUMENT' || code === 'FILE_TOO_LARGE' || code === 'WRITE_FAILED'
      return isPassing && error instanceof Error ? error : undefined
    })
  }

  /** Whatever fails ends all writing, but for errors that `harmless` gives something to throw instead. */
  async orFail<T>(
    action: () => Promise<T>,
    harmless: (error: unknown) => Error | undefined = () => undefined,
  ): Promise<T> {
    try {
      return await action()
    } catch (error) {
      const passing = harmless(error)
      if (passing !== undefined) throw passing
      this.#failure = error
      throw writeFailed(error)
    }
  }
}

function writeFailed(cause: unknown): AteError {
  const hint =
    'Close the chain, check the disk and the system log, and open it again: everything acknowledged is there.'
  return new AteError('WRITE_FAILED', 'The storage of the log failed; nothing more is accepted.', { hint, cause })
}
