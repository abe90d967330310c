/** Failures of the emulated kernel, and the FileSystem's own as a driver hands them on. */
import { errorCode } from '../../../src/engine/error.js'
import { ERRNO, Errno } from '../../../src/fs/errno.js'
import { PosixError } from './client.js'

const names = new Map(Object.entries(Errno).map(([name, number]) => [number as number, name]))

type ErrnoName = keyof typeof Errno | 'EBADF' | 'ELOOP'

export function failure(code: ErrnoName, call: string): PosixError {
  return new PosixError(code, call)
}

/** Runs a call; the FileSystem's errors come out as PosixError, others (defects) as they are. */
export async function asPosix<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    throw new PosixError(names.get(ERRNO[code]) ?? `errno ${ERRNO[code]}`, name)
  }
}
