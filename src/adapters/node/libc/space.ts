/** fallocate(2): space on the disk for a file before it is written, and given back from the middle of one. */
import { libcFunction, lastErrno } from './load.js'

const FALLOC_FL_KEEP_SIZE = 1
const FALLOC_FL_PUNCH_HOLE = 2
const EINTR = 4
const ENOSPC = 28
const ENOSYS = 38
const EOPNOTSUPP = 95
const EDQUOT = 122

let fallocate: ((fd: number, mode: number, offset: number, length: number) => number) | undefined

export type Allocation = 'done' | 'no-space' | 'unsupported' | 'failed'

/** Allocates [offset, offset + length), which reads as zero, and grows the file over it. May have done a part when it fails. */
export function allocateSpace(fd: number, offset: number, length: number): Allocation {
  for (;;) {
    if (allocation()(fd, 0, offset, length) === 0) return 'done'
    const errno = lastErrno()
    if (errno === EINTR) continue
    if (errno === ENOSPC || errno === EDQUOT) return 'no-space'
    return errno === EOPNOTSUPP ? 'unsupported' : 'failed'
  }
}

export type Punching = 'done' | 'unsupported' | 'failed'

/** Gives back the space of [offset, offset + length), which reads as zero then; the file keeps its length. */
export function punchHole(fd: number, offset: number, length: number): Punching {
  for (;;) {
    if (allocation()(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) === 0) return 'done'
    const errno = lastErrno()
    if (errno === EINTR) continue
    return errno === EOPNOTSUPP || errno === ENOSYS ? 'unsupported' : 'failed'
  }
}

function allocation(): NonNullable<typeof fallocate> {
  return (fallocate ??= libcFunction('int fallocate(int fd, int mode, int64_t offset, int64_t length)'))
}
