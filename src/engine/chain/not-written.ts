/** What is told of a chain whose storage failed under a commit. */
import { AteError } from '../error.js'

export function notWritten(cause: unknown): AteError {
  return new AteError('WRITE_FAILED', 'the chain could not be written; nothing more is accepted', {
    cause,
    hint: 'check the disk and the system log, then close the chain and open it again',
  })
}
