/**
 * Reads a file at positions. Reads that follow each other are served from a window that is read ahead past the page cache:
 * one request to the disk for a mebibyte of neighbouring bodies, growing with the run as the kernel's own readahead does.
 */
import { closeSync, readSync } from 'node:fs'
import type { SegmentReader } from '../../engine/log/storage.js'
import { blockEnd, blockStart, DIRECT_BLOCK_BYTES, openDirect } from './direct-io.js'
import { fileError } from './file-error.js'
import { readFully } from './file-segment.js'
import { alignedMemory } from './libc/load.js'

const WINDOW_BYTES = 1024 * 1024
/** Read one after another before anything is read ahead. */
const RUN_BYTES = 128 * 1024
/** Between the bodies of two batches lie records and a head. */
const GAP_BYTES = 256 * 1024

/** The memory of all windows: whoever reads ahead takes it from the one that did before. */
let memory: Uint8Array | undefined
let owner = 0
let readers = 0

export class FileReader implements SegmentReader {
  readonly #fd: number
  readonly #name: string
  readonly #id = ++readers
  /** Null: not here. */
  #directFd: number | null | undefined
  /** Where the last read ended, and how much was read in a row until there. */
  #end = -1
  #runBytes = 0
  #windowFrom = 0
  #windowTo = 0

  /** `fd` is closed with it. */
  constructor(fd: number, name: string) {
    this.#fd = fd
    this.#name = name
  }

  readSync(position: number, target: Uint8Array, targetStart: number, length: number): number {
    try {
      const isNext = this.#end >= 0 && position >= this.#end && position <= this.#end + GAP_BYTES
      this.#runBytes = isNext ? this.#runBytes + length : 0
      this.#end = position + length
      if (!this.#isAhead(position, length) && this.#runBytes >= RUN_BYTES) this.#readAhead(position, length)
      if (!this.#isAhead(position, length)) return readFully(this.#fd, position, target, targetStart, length)
      const from = position - this.#windowFrom
      target.set(memory?.subarray(from, from + length) ?? [], targetStart)
      return length
    } catch (error) {
      throw fileError('read', this.#name, error)
    }
  }

  forgetAhead(): boolean {
    const isAny = owner === this.#id && this.#windowTo > 0
    this.#windowTo = 0
    return isAny
  }

  close(): void {
    if (typeof this.#directFd === 'number') closeSync(this.#directFd)
    this.#directFd = null
    closeSync(this.#fd)
  }

  #isAhead(position: number, length: number): boolean {
    return owner === this.#id && position >= this.#windowFrom && position + length <= this.#windowTo
  }

  #readAhead(position: number, length: number): void {
    if (this.#directFd === undefined) this.#directFd = openDirect(this.#fd, 'read')
    const from = blockStart(position)
    const wanted = Math.min(WINDOW_BYTES, Math.max(2 * this.#runBytes, length + DIRECT_BLOCK_BYTES))
    if (this.#directFd === null || position + length - from > WINDOW_BYTES) return
    // Two runs at once must not read everything twice: who lost the window begins anew with a small one.
    if (this.#windowTo > 0 && owner !== this.#id) this.#runBytes = 0
    owner = this.#id
    this.#windowTo = 0
    memory ??= alignedMemory(WINDOW_BYTES, DIRECT_BLOCK_BYTES)
    try {
      this.#windowTo = from + readSync(this.#directFd, memory, 0, blockEnd(wanted), from)
      this.#windowFrom = from
    } catch {
      // The file system takes no such reads, or the disk fails: reading as usual says which.
      closeSync(this.#directFd)
      this.#directFd = null
    }
  }
}
