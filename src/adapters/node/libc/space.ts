/** fallocate(2) and posix_fadvise(2): space for a file, on the disk before it is written and in memory after. */
import { libcFunction, lastErrno } from './load.js'

const EINTR = 4
const ENOSPC = 28
const EOPNOTSUPP = 95
const EDQUOT = 122

const POSIX_FADV_DONTNEED = 4

let fallocate: ((fd: number, mode: number, offset: number, length: number) => number) | undefined

let fadvise: ((fd: number, offset: number, length: number, advice: number) => number) | undefined

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

/** Gives the page cache's memory for [offset, offset + length) back, as far as it is on the disk. A hint: nothing can fail. */
export function dropFromCache(fd: number, offset: number, length: number): void {
  const call = (fadvise ??= libcFunction('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)'))
  call(fd, offset, length, POSIX_FADV_DONTNEED)
}
