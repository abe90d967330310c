/** What is told when the storage of a log has failed under a write. */
import { AteError } from '../error.js'

export function writeFailed(cause: unknown): AteError {
  const hint =
    'Close the chain, check the disk and the system log, and open it again: everything acknowledged is there.'
  return new AteError('WRITE_FAILED', 'The storage of the log failed; nothing more is accepted.', { hint, cause })
}
