/** fallocate(2): space on the disk for a file before it is written. */
import { libcFunction, lastErrno } from './load.js'

const EINTR = 4
const ENOSPC = 28
const EOPNOTSUPP = 95
const EDQUOT = 122

let fallocate: ((fd: number, mode: number, offset: number, length: number) => number) | undefined

export type Allocation = 'done' | 'no-space' | 'unsupported' | 'failed'

/** Allocates [offset, offset + length), which reads as zero, and grows the file over it. May have done a part when it fails. */
export function allocateSpace(fd: number, offset: number, length: number): Allocation {
  const call = (fallocate ??= libcFunction('int fallocate(int fd, int mode, int64_t offset, int64_t length)'))
  for (;;) {
    if (call(fd, 0, offset, length) === 0) return 'done'
    const errno = lastErrno()
    if (errno === EINTR) continue
    if (errno === ENOSPC || errno === EDQUOT) return 'no-space'
    return errno === EOPNOTSUPP ? 'unsupported' : 'failed'
  }
}
