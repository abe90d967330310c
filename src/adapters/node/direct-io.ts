/**
 * Files past the page cache (open(2), O_DIRECT). What the mount has just written or is about to read lies in the kernel's
 * cache of the mount, as plaintext; a second, sealed copy would cost a copy, and push other things out of memory.
 */
import { constants, openSync } from 'node:fs'

/** Positions, lengths and memory are multiples of it: no disk has larger blocks. */
export const DIRECT_BLOCK_BYTES = 4096

/** Another descriptor for the open file `fd`; null where there is no such thing. */
export function openDirect(fd: number, mode: 'read' | 'write'): number | null {
  const flags = mode === 'read' ? constants.O_RDONLY : constants.O_WRONLY
  try {
    return openSync(`/proc/self/fd/${fd}`, flags | constants.O_DIRECT)
  } catch {
    return null
  }
}

export function blockStart(position: number): number {
  return position - (position % DIRECT_BLOCK_BYTES)
}

export function blockEnd(position: number): number {
  return blockStart(position + DIRECT_BLOCK_BYTES - 1)
}
