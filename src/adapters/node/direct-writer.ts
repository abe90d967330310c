/**
 * Writes to a file past the page cache, through two buffers that are aligned as the disk wants it: one is filled while
 * the other is written. What the cache holds of a place written here is dropped by the kernel, so that readers see what
 * was written.
 */
import { closeSync, write as writeFile } from 'node:fs'
import { promisify } from 'node:util'
import { AteError } from '../../engine/error.js'
import { DIRECT_BLOCK_BYTES, openDirect } from './direct-io.js'
import { errnoOf } from './file-error.js'
import { alignedMemory } from './libc/load.js'

/** Of the disk, not of the way it is written. Anything else (EINVAL, EOPNOTSUPP) is tried through the cache. */
const FINAL_ERRORS: ReadonlySet<string> = new Set(['EIO', 'ENOSPC', 'EDQUOT'])
/** One request to the disk. */
const BUFFER_BYTES = 1024 * 1024

const writeOnce = promisify(writeFile)

type Buffers = [Uint8Array, Uint8Array]

/** Writes under way at once; more go through the cache, whose memory is the system's to give. */
const MOST_BUFFERS = 8
/** Of writers that are done: such memory is never freed. */
const idleBuffers: Buffers[] = []
let buffersMade = 0

export class DirectWriter {
  readonly #fd: number
  #isClosed = false

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** For the open file `fd`; null where there is no such thing. To be closed before `fd` is. */
  static open(fd: number): DirectWriter | null {
    const direct = openDirect(fd, 'write')
    return direct === null ? null : new DirectWriter(direct)
  }

  /**
   * Whole blocks at a whole block. False: too much is under way, or the file system refuses, and some may have been written. Throws
   * what write(2) does.
   */
  async write(position: number, blocks: Uint8Array): Promise<boolean> {
    if (this.#isClosed) return false
    const buffers = idleBuffers.pop() ?? newBuffers()
    if (buffers === undefined) return false
    try {
      await this.#writeInTurns(position, blocks, buffers)
      return true
    } catch (error) {
      if (FINAL_ERRORS.has(errnoOf(error) ?? '')) throw error
      this.close()
      return false
    } finally {
      idleBuffers.push(buffers)
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#fd)
  }

  async #writeInTurns(position: number, blocks: Uint8Array, [first, second]: Buffers): Promise<void> {
    let [filled, written] = [first, second]
    let writing = Promise.resolve()
    for (let from = 0; from < blocks.length; from += BUFFER_BYTES) {
      const part = blocks.subarray(from, from + BUFFER_BYTES)
      filled.set(part)
      await writing
      writing = this.#writeWhole(filled.subarray(0, part.length), position + from)
      ;[filled, written] = [written, filled]
    }
    await writing
  }

  async #writeWhole(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await writeOnce(this.#fd, bytes, done, bytes.length - done, position + done)
      // A part of a block is not aligned any more: the caller's way of writing finds out what is wrong.
      if (bytesWritten % DIRECT_BLOCK_BYTES !== 0 || bytesWritten === 0)
        throw new AteError('NOT_SUPPORTED', 'a part of a block was written')
      done += bytesWritten
    }
  }
}

function newBuffers(): Buffers | undefined {
  if (buffersMade >= MOST_BUFFERS) return undefined
  buffersMade++
  return [alignedMemory(BUFFER_BYTES, DIRECT_BLOCK_BYTES), alignedMemory(BUFFER_BYTES, DIRECT_BLOCK_BYTES)]
}
