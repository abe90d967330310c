/** A log in memory: for temporary chains where there is no disk, and for tests. Nothing is ever lost or full. */
import { AteError } from '../error.js'
import type { LogStorage, SegmentFile, SegmentReader } from './storage.js'

/** A file grows by these: what is there is never copied, and space that is only reserved takes none. */
const CHUNK_BYTES = 64 * 1024

class MemoryFile {
  /** Undefined where nothing was written: it reads as zero. */
  readonly #chunks: (Uint8Array | undefined)[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Nothing was written from here on. */
  get writtenEnd(): number {
    return Math.min(this.#chunks.length * CHUNK_BYTES, this.#length)
  }

  write(position: number, bytes: Uint8Array): void {
    this.reserve(position + bytes.length)
    eachPiece(position, position + bytes.length, (chunk, from, to, at) => {
      const target = (this.#chunks[chunk] ??= new Uint8Array(CHUNK_BYTES))
      target.set(bytes.subarray(at, at + to - from), from)
    })
  }

  /** Fills `target` from `targetStart` with up to `length` bytes; returns how many there were. */
  read(position: number, target: Uint8Array, targetStart: number, length: number): number {
    const end = Math.min(position + length, this.#length)
    if (end <= position) return 0
    eachPiece(position, end, (chunk, from, to, at) => {
      const source = this.#chunks[chunk]
      if (source === undefined) target.fill(0, targetStart + at, targetStart + at + to - from)
      else target.set(source.subarray(from, to), targetStart + at)
    })
    return end - position
  }

  reserve(length: number): void {
    this.#length = Math.max(this.#length, length)
  }

  zero(from: number, to: number): void {
    eachPiece(from, Math.min(to, this.#chunks.length * CHUNK_BYTES), (chunk, start, end) => {
      if (end - start === CHUNK_BYTES) this.#chunks[chunk] = undefined
      else this.#chunks[chunk]?.fill(0, start, end)
    })
  }

  truncate(length: number): void {
    this.zero(length, this.#chunks.length * CHUNK_BYTES)
    this.#chunks.length = Math.min(this.#chunks.length, Math.ceil(length / CHUNK_BYTES))
    this.#length = length
  }
}

/** The parts of chunks that [from, to) consists of; `at` counts from `from`. */
function eachPiece(
  from: number,
  to: number,
  take: (chunk: number, from: number, to: number, at: number) => void,
): void {
  for (let position = from; position < to;) {
    const chunk = Math.floor(position / CHUNK_BYTES)
    const start = chunk * CHUNK_BYTES
    const end = Math.min(to, start + CHUNK_BYTES)
    take(chunk, position - start, end - start, position - from)
    position = end
  }
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
    const content = new Uint8Array(file.length)
    file.read(0, content, 0, content.length)
    return content
  }

  async replaceSmall(name: string, content: Uint8Array): Promise<void> {
    const file = new MemoryFile()
    file.write(0, content)
    this.#files.set(name, file)
  }

  async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    if (mode !== 'create') return new MemorySegment(this.#existing(name))
    if (this.#files.has(name)) throw new AteError('CHAIN_EXISTS', `The file ${name} is there already.`)
    const file = new MemoryFile()
    this.#files.set(name, file)
    return new MemorySegment(file)
  }

  openReader(name: string): SegmentReader {
    const file = this.#existing(name)
    return {
      readSync: (position, target, at, length) => file.read(position, target, at, length),
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
    return this.#file.writtenEnd
  }

  async read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const bytes = Math.max(0, Math.min(length, this.#file.length - position))
    const target = into === undefined || into.length < length ? new Uint8Array(bytes) : into.subarray(0, bytes)
    this.#file.read(position, target, 0, target.length)
    return target
  }

  async write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    let at = position
    for (const part of parts) {
      this.#file.write(at, part)
      at += part.length
    }
  }

  async sync(): Promise<void> {}

  async syncInBackground(): Promise<void> {}

  async reserve(length: number): Promise<void> {
    this.#file.reserve(length)
  }

  async zero(from: number, to: number): Promise<void> {
    this.#file.reserve(to)
    this.#file.zero(from, to)
  }

  async truncate(length: number): Promise<void> {
    this.#file.truncate(length)
  }

  async punch(from: number, to: number): Promise<boolean> {
    this.#file.zero(from, to)
    return true
  }

  async close(): Promise<void> {}
}
