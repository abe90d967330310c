/** A log in memory: for temporary chains where there is no disk, and for tests. Nothing is ever lost or full. */
import { byteLength } from '../bytes/concat.js'
import { AteError } from '../error.js'
import type { LogStorage, SegmentFile, SegmentReader } from './storage.js'

interface MemoryFile {
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
    return { readSync: (position, target, at, length) => copyOut(file, position, target, at, length), close: () => {} }
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

  async read(position: number, length: number): Promise<Uint8Array> {
    const end = Math.min(position + length, this.#file.length)
    return this.#file.bytes.slice(Math.min(position, end), end)
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

  async reserve(length: number): Promise<void> {
    // The length counts, the memory need not be there yet.
    this.#file.length = Math.max(this.#file.length, length)
    this.#grow(0)
  }

  async zero(from: number, to: number): Promise<void> {
    this.#grow(to)
    this.#file.bytes.fill(0, from, to)
  }

  async truncate(length: number): Promise<void> {
    const file = this.#file
    file.bytes.fill(0, Math.min(length, file.bytes.length))
    file.length = length
    this.#grow(0)
  }

  async close(): Promise<void> {}

  #grow(length: number): void {
    const file = this.#file
    file.length = Math.max(file.length, length)
    if (file.bytes.length >= file.length) return
    const grown = new Uint8Array(Math.max(file.length, file.bytes.length * 2))
    grown.set(file.bytes)
    file.bytes = grown
  }
}

function copyOut(file: MemoryFile, position: number, target: Uint8Array, at: number, length: number): number {
  const end = Math.min(position + length, file.length)
  if (end <= position) return 0
  target.set(file.bytes.subarray(position, end), at)
  return end - position
}
