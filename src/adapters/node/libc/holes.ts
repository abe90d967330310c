/**
 * lseek(2), SEEK_DATA and SEEK_HOLE: what of a file was never written, which reads as zero. Space that is only allocated counts
 * as a hole while the page cache has nothing of it; what has been read of it counts as data.
 */
import { lastErrno, libcFunction } from './load.js'

const SEEK_DATA = 3
const SEEK_HOLE = 4
const ENXIO = 6
/** A file in more pieces is taken as a whole. */
const MAX_PIECES = 4096

let lseek: ((fd: number, offset: number, whence: number) => number | bigint) | undefined

/**
 * The end of the last piece with data of a file of `size` bytes; `size` where that cannot be told. Moves the place where
 * read(2) and write(2) go on, which nobody here uses.
 */
export function dataEnd(fd: number, size: number): number {
  try {
    const call = (lseek ??= libcFunction('int64_t lseek(int fd, int64_t offset, int whence)'))
    let end = 0
    for (let pieces = 0; pieces < MAX_PIECES && end < size; pieces++) {
      const data = Number(call(fd, end, SEEK_DATA))
      if (data < end) return lastErrno() === ENXIO ? end : size
      end = Number(call(fd, data, SEEK_HOLE))
      if (end <= data) return size
    }
    return size
  } catch {
    return size
  }
}
