/** A log in memory: for temporary chains where there is no disk, and for tests. Nothing is ever lost or full. */
import { byteLength } from '../bytes/concat.js'
import { AteError } from '../error.js'
import type { LogStorage, SegmentFile, SegmentReader } from './storage.js'

interface MemoryFile {
  /** What was written; shorter than `length` where space is only reserved, which reads as zero. */
  bytes: Uint8Array
  length: number
}

export class MemoryStorage implements LogStorage {
  readonly #files = new Map<string, MemoryFile>()

  async list(): Promise<string[]> {
    return [...this.#files.keys()]
  }

  async readSmall(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const file = this.#files.get(name)
    if (file === undefined) return undefined
    if (file.length > maxBytes) throw new AteError('BAD_FORMAT', `The file ${name} is larger than it can be.`)
    return file.bytes.slice(0, file.length)
  }

  async replaceSmall(name: string, content: Uint8Array): Promise<void> {
    this.#files.set(name, { bytes: content.slice(), length: content.length })
  }

  async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    if (mode !== 'create') return new MemorySegment(this.#existing(name))
    if (this.#files.has(name)) throw new AteError('CHAIN_EXISTS', `The file ${name} is there already.`)
    const file: MemoryFile = { bytes: new Uint8Array(0), length: 0 }
    this.#files.set(name, file)
    return new MemorySegment(file)
  }

  openReader(name: string): SegmentReader {
    const file = this.#existing(name)
    return {
      readSync: (position, target, at, length) => copyOut(file, position, target, at, length),
      forgetAhead: () => false,
      close: () => {},
    }
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name)
  }

  #existing(name: string): MemoryFile {
    const file = this.#files.get(name)
    if (file === undefined) throw new AteError('INPUT_OUTPUT', `The file ${name} is missing.`)
    return file
  }
}

class MemorySegment implements SegmentFile {
  readonly #file: MemoryFile

  constructor(file: MemoryFile) {
    this.#file = file
  }

  async size(): Promise<number> {
    return this.#file.length
  }

  async dataEnd(): Promise<number> {
    return Math.min(this.#file.bytes.length, this.#file.length)
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const target = new Uint8Array(Math.max(0, Math.min(length, this.#file.length - position)))
    copyOut(this.#file, position, target, 0, target.length)
    return target
  }

  async write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    this.#grow(position + byteLength(parts))
    let at = position
    for (const part of parts) {
      this.#file.bytes.set(part, at)
      at += part.length
    }
  }

  async sync(): Promise<void> {}

  async syncInBackground(): Promise<void> {}

  async reserve(length: number): Promise<void> {
    this.#file.length = Math.max(this.#file.length, length)
  }

  async zero(from: number, to: number): Promise<void> {
    this.#file.length = Math.max(this.#file.length, to)
    this.#file.bytes.fill(0, from, to)
  }

  async truncate(length: number): Promise<void> {
    const file = this.#file
    if (length < file.bytes.length) file.bytes = file.bytes.slice(0, length)
    file.length = length
  }

  async punch(from: number, to: number): Promise<boolean> {
    this.#file.bytes.fill(0, from, to)
    return true
  }

  async close(): Promise<void> {}

  #grow(length: number): void {
    const file = this.#file
    file.length = Math.max(file.length, length)
    if (file.bytes.length >= length) return
    const grown = new Uint8Array(Math.max(length, file.bytes.length * 2))
    grown.set(file.bytes)
    file.bytes = grown
  }
}

function copyOut(file: MemoryFile, position: number, target: Uint8Array, at: number, length: number): number {
  const end = Math.min(position + length, file.length)
  if (end <= position) return 0
  const written = file.bytes.subarray(position, end)
  target.set(written, at)
  target.fill(0, at + written.length, at + end - position)
  return end - position
}
