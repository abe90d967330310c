/** renameat2(2) with RENAME_EXCHANGE: two names of one file system change places, at once. */
import { lastErrno, libcFunction } from './load.js'

const AT_FDCWD = -100
const RENAME_EXCHANGE = 2
const EINTR = 4

let renameat2: ((from: number, a: string, to: number, b: string, flags: number) => number) | undefined

/** False where it cannot be done, and nothing has changed. */
export function exchangeNames(a: string, b: string): boolean {
  try {
    const call = (renameat2 ??= libcFunction('int renameat2(int from, str a, int to, str b, unsigned int flags)'))
    for (;;) {
      if (call(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) === 0) return true
      if (lastErrno() !== EINTR) return false
    }
  } catch {
    // A C library without it.
    return false
  }
}
