/** mount(2), for what mount(8) would say only in words: which error it was. */
import { lastErrno, libcFunction } from './load.js'

/** Bits of mount(2)'s flags for the options that are not the file system's own. */
export const MountFlag = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  SYNCHRONOUS: 16,
  DIRSYNC: 128,
  NOATIME: 1024,
  NODIRATIME: 2048,
  RELATIME: 1 << 21,
  STRICTATIME: 1 << 24,
} as const

type MountCall = (source: Uint8Array, target: Uint8Array, type: Uint8Array, flags: number, data: Uint8Array) => number

/** 0, or a negative errno. Does not wait for the file system's first answer. */
export function mount(source: string, target: string, type: string, flags: number, data: string): number {
  const call: MountCall = libcFunction(
    'int mount(const void *source, const void *target, const void *type, unsigned long flags, const void *data)',
  )
  const result = call(cString(source), cString(target), cString(type), flags, cString(data))
  return result < 0 ? -lastErrno() : 0
}

function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`)
}
