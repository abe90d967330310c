/** What only a kernel offers: locks between processes and mappings of files into memory. */
import { check, libc, memoryAt } from './libc.js'

export const LOCK_SH = 1
export const LOCK_EX = 2
export const LOCK_NB = 4
export const LOCK_UN = 8

/** flock(2), never waiting. */
export function flock(fd: number, operation: number): void {
  check('flock', libc.flock(fd, operation | LOCK_NB))
}

const F_SETLK = 6
const F_OFD_SETLK = 37
export const F_RDLCK = 0
export const F_WRLCK = 1
export const F_UNLCK = 2

export interface RecordLock {
  /** F_RDLCK, F_WRLCK or F_UNLCK. */
  type: number
  start: number
  length: number
}

/** struct flock of 64-bit Linux: {type 2, whence 2, pad 4, start 8, length 8, pid 4}. */
function lockStructure({ type, start, length }: RecordLock): Buffer {
  const buffer = Buffer.alloc(32)
  buffer.writeInt16LE(type, 0)
  buffer.writeBigInt64LE(BigInt(start), 8)
  buffer.writeBigInt64LE(BigInt(length), 16)
  return buffer
}

/** fcntl(2) F_SETLK: the process owns the lock. */
export function lockAsProcess(fd: number, lock: RecordLock): void {
  check('fcntl', libc.fcntl(fd, F_SETLK, lockStructure(lock)))
}

/** fcntl(2) F_OFD_SETLK: the open file owns the lock. */
export function lockAsOpenFile(fd: number, lock: RecordLock): void {
  check('fcntl', libc.fcntl(fd, F_OFD_SETLK, lockStructure(lock)))
}

const PROT_READ = 1
const PROT_WRITE = 2
const MAP_SHARED = 1
const MAP_PRIVATE = 2
const MS_SYNC = 4

export interface Mapping {
  bytes: Uint8Array
  /** Writes changes to the file and waits for them. */
  sync(): void
  unmap(): void
}

/** mmap(2) of `length` bytes of a file from `offset`; the bytes beyond the file's last page must not be touched. */
export function mapFile(
  fd: number,
  length: number,
  options: { offset?: number; writable?: boolean; shared?: boolean } = {},
): Mapping {
  const { offset = 0, writable = true, shared = true } = options
  const protection = PROT_READ | (writable ? PROT_WRITE : 0)
  const address = libc.mmap(null, length, protection, shared ? MAP_SHARED : MAP_PRIVATE, fd, offset)
  // MAP_FAILED is the greatest address.
  check('mmap', BigInt.asIntN(64, address) === -1n ? -1 : 0)
  return {
    bytes: memoryAt(address, length),
    sync: () => void check('msync', libc.msync(address, length, MS_SYNC)),
    unmap: () => void check('munmap', libc.munmap(address, length)),
  }
}
