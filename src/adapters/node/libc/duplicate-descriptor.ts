/** fcntl(2), F_DUPFD_CLOEXEC: another number for what a descriptor stands for, which the programs we start do not inherit. */
import { AteError } from '../../../engine/error.js'
import { lastErrno, libcFunction } from './load.js'

const F_DUPFD_CLOEXEC = 1030

/** The caller closes it. INPUT_OUTPUT when there is none (too many files are open). */
export function duplicateDescriptor(fd: number): number {
  const fcntl: (fd: number, command: number, lowest: number) => number = libcFunction(
    'int fcntl(int fd, int command, int lowest)',
  )
  const duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0)
  if (duplicate < 0) throw new AteError('INPUT_OUTPUT', `a descriptor cannot be duplicated: errno ${lastErrno()}`)
  return duplicate
}
