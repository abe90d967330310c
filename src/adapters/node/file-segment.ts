/** One open file of a log, read and written at positions. */
import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs'
import { AteError } from '../../engine/error.js'
import type { SegmentFile } from '../../engine/log/storage.js'
import { fileError } from './file-error.js'
import { blockEnd, blockStart } from './direct-io.js'
import { DirectWriter } from './direct-writer.js'
import { dataEnd } from './libc/holes.js'
import { allocateSpace, punchHole } from './libc/space.js'

const ZEROS = new Uint8Array(1024 * 1024)

/**
 * The most that one call writes. For 2 MiB or more at once the kernel takes pages of 2 MiB for its cache; on a virtual
 * machine whose host provides memory when it is first touched, copying into those takes ten times as long (2 ms for each).
 */
const WRITE_CALL_BYTES = 512 * 1024

/**
 * From here on a write goes past the page cache: pages that were never used cost more than copying what goes into them, ten times as
 * much on such a machine.
 */
const DIRECT_BYTES = 64 * 1024

export class FileSegment implements SegmentFile {
  readonly #fd: number
  readonly #name: string
  /** Null: not here. */
  #direct: DirectWriter | null | undefined

  /** `isReadBack`: everything stays in the page cache, for who reads it next. */
  constructor(fd: number, name: string, isReadBack = false) {
    this.#fd = fd
    this.#name = name
    if (isReadBack) this.#direct = null
  }

  async size(): Promise<number> {
    return this.#try('measure', () => fstatSync(this.#fd).size)
  }

  async dataEnd(): Promise<number> {
    return this.#try('measure', () => dataEnd(this.#fd, fstatSync(this.#fd).size))
  }

  async read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const bytes = into !== undefined && into.length >= length ? into : new Uint8Array(length)
    return this.#try('read', () => bytes.subarray(0, readFully(this.#fd, position, bytes, 0, length)))
  }

  async write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    let at = position
    for (const part of parts) {
      if (part.length >= DIRECT_BYTES) await this.#writeDirectly(at, part)
      else this.#writeCached(at, part)
      at += part.length
    }
  }

  async sync(): Promise<void> {
    this.#try('sync', () => fdatasyncSync(this.#fd))
  }

  syncInBackground(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => {
        if (error === null) resolve()
        else reject(fileError('sync', this.#name, error))
      })
    })
  }

  async reserve(length: number): Promise<void> {
    this.#try('reserve space for', () => {
      const size = fstatSync(this.#fd).size
      if (length <= size) return
      try {
        allocate(this.#fd, size, length)
      } catch (error) {
        // A part may have been allocated, and would be missed elsewhere.
        ftruncateSync(this.#fd, size)
        throw error
      }
    })
  }

  async zero(from: number, to: number): Promise<void> {
    for (let at = from; at < to;) {
      const end = Math.min(to, blockStart(at + ZEROS.length))
      await this.write(at, [ZEROS.subarray(0, end - at)])
      at = end
    }
  }

  async truncate(length: number): Promise<void> {
    this.#try('truncate', () => ftruncateSync(this.#fd, length))
  }

  /** Whole blocks only. Not in a file of several names: one of them may be a copy of the chain as it was. */
  async punch(from: number, to: number): Promise<boolean> {
    return this.#try('give back space of', () => {
      if (fstatSync(this.#fd).nlink > 1) return false
      const start = blockEnd(from)
      const end = blockStart(to)
      if (end <= start) return true
      const outcome = punchHole(this.#fd, start, end - start)
      if (outcome === 'failed') throw new AteError('INPUT_OUTPUT', 'Space of the log cannot be given back.')
      return outcome === 'done'
    })
  }

  async close(): Promise<void> {
    this.#direct?.close()
    this.#direct = null
    closeSync(this.#fd)
  }

  /** The whole blocks of `bytes` past the cache, the parts of blocks at both ends through it. */
  async #writeDirectly(position: number, bytes: Uint8Array): Promise<void> {
    if (this.#direct === undefined) this.#direct = DirectWriter.open(this.#fd)
    if (this.#direct === null) {
      this.#writeCached(position, bytes)
      return
    }
    const from = blockEnd(position) - position
    const to = blockStart(position + bytes.length) - position
    this.#writeCached(position, bytes.subarray(0, from))
    const isWritten = await this.#tryLater('write', this.#direct.write(position + from, bytes.subarray(from, to)))
    const done = isWritten ? to : from
    this.#writeCached(position + done, bytes.subarray(done))
  }

  #writeCached(position: number, bytes: Uint8Array): void {
    this.#try('write', () => writeFully(this.#fd, position, bytes, bytes.length))
  }

  #try<T>(action: string, run: () => T): T {
    try {
      return run()
    } catch (error) {
      throw fileError(action, this.#name, error)
    }
  }

  async #tryLater<T>(action: string, running: Promise<T>): Promise<T> {
    try {
      return await running
    } catch (error) {
      throw fileError(action, this.#name, error)
    }
  }
}

/** Reads until `length` bytes or the end of the file; returns how many there were. */
export function readFully(
  fd: number,
  position: number,
  target: Uint8Array,
  targetStart: number,
  length: number,
): number {
  let done = 0
  while (done < length) {
    const count = readSync(fd, target, targetStart + done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

export function writeFully(fd: number, position: number, bytes: Uint8Array, length: number): number {
  let done = 0
  while (done < length) done += writeSync(fd, bytes, done, Math.min(length - done, WRITE_CALL_BYTES), position + done)
  return done
}

function writeZeros(fd: number, from: number, to: number): void {
  for (let at = from; at < to;) at += writeFully(fd, at, ZEROS, Math.min(ZEROS.length, to - at))
}

/** Where the file system has no fallocate, zeros take the space as well, only slower. */
function allocate(fd: number, from: number, to: number): void {
  switch (allocateSpace(fd, from, to - from)) {
    case 'done':
      return
    case 'no-space':
      throw new AteError('NO_SPACE', 'The disk of the log is full.')
    case 'unsupported':
      writeZeros(fd, from, to)
      return
    case 'failed':
      throw new AteError('INPUT_OUTPUT', 'Space for the log cannot be allocated.')
  }
}
