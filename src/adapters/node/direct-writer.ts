/**
 * Writes to a file past the page cache, through a buffer that is aligned as the disk wants it. What the
 * cache holds of a place written here is dropped by the kernel, so that readers see what was written.
 */
import { closeSync, writeSync } from 'node:fs'
import { DIRECT_BLOCK_BYTES, openDirect } from './direct-io.js'
import { errnoOf } from './file-error.js'
import { alignedMemory } from './libc/load.js'

/** Of the disk, not of the way it is written. Anything else (EINVAL, EOPNOTSUPP) is tried through the cache. */
const FINAL_ERRORS: ReadonlySet<string> = new Set(['EIO', 'ENOSPC', 'EDQUOT'])
/** One request to the disk. */
const BUFFER_BYTES = 1024 * 1024

let buffer: Uint8Array | undefined

export class DirectWriter {
  /** Undefined: refused, or closed. */
  #fd: number | undefined

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** For the open file `fd`; null where there is no such thing. To be closed before `fd` is. */
  static open(fd: number): DirectWriter | null {
    const direct = openDirect(fd, 'write')
    return direct === null ? null : new DirectWriter(direct)
  }

  /** Whole blocks at a whole block. False: the file system refuses; some may have been written. Throws what write(2) does. */
  write(position: number, blocks: Uint8Array): boolean {
    if (this.#fd === undefined) return false
    buffer ??= alignedMemory(BUFFER_BYTES, DIRECT_BLOCK_BYTES)
    for (let done = 0; done < blocks.length;) {
      const length = Math.min(BUFFER_BYTES, blocks.length - done)
      buffer.set(blocks.subarray(done, done + length))
      const written = this.#writeBuffer(this.#fd, buffer, length, position + done)
      // A part of a block is not aligned any more: the caller's way of writing finds out what is wrong.
      if (written % DIRECT_BLOCK_BYTES !== 0 || written === 0) return false
      done += written
    }
    return true
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #writeBuffer(fd: number, bytes: Uint8Array, length: number, position: number): number {
    try {
      return writeSync(fd, bytes, 0, length, position)
    } catch (error) {
      if (FINAL_ERRORS.has(errnoOf(error) ?? '')) throw error
      this.close()
      return 0
    }
  }
}
