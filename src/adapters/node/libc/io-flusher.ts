/**
 * PR_SET_IO_FLUSHER (prctl(2), Linux 5.6): this process writes back what others made dirty. When it allocates memory, the
 * kernel then does not wait for dirty pages that only it can write.
 */
import { libcFunction } from './load.js'

const PR_SET_IO_FLUSHER = 57

/** True when the kernel agreed; an ordinary user may not. Threads made later inherit it. */
export function becomeIoFlusher(): boolean {
  const prctl: (option: number, a: number, b: number, c: number, d: number) => number = libcFunction(
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  )
  return prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) === 0
}
