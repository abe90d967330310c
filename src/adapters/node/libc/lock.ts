/** flock(2): a lock that ends with the process that holds it, however it ends. */
import { libcFunction, lastErrno } from './load.js'

const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4
const EINTR = 4
const EWOULDBLOCK = 11

let flock: ((fd: number, operation: number) => number) | undefined

export type LockOutcome = 'locked' | 'held-elsewhere' | 'failed'

/** Takes the lock of the open file without waiting: shared with other sharers, or alone. Closing the descriptor ends it. */
export function lockFile(fd: number, mode: 'shared' | 'alone'): LockOutcome {
  const call = (flock ??= libcFunction('int flock(int fd, int operation)'))
  for (;;) {
    if (call(fd, (mode === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB) === 0) return 'locked'
    const errno = lastErrno()
    if (errno === EINTR) continue
    return errno === EWOULDBLOCK ? 'held-elsewhere' : 'failed'
  }
}
