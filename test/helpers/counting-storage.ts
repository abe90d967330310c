/** A log storage that counts the bytes read of each segment. */
import type { LogStorage, SegmentFile, SegmentReader } from '../../src/engine/log/storage.js'

export class CountingStorage implements LogStorage {
  readonly #storage: LogStorage
  readonly #read = new Map<string, number>()

  constructor(storage: LogStorage) {
    this.#storage = storage
  }

  /** How often a body was read. */
  bodyReads = 0

  get bytesRead(): number {
    return [...this.#read.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  bytesReadOf(segment: string): number {
    return this.#read.get(segment) ?? 0
  }

  list(): Promise<string[]> {
    return this.#storage.list()
  }

  readSmall(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    return this.#storage.readSmall(name, maxBytes)
  }

  replaceSmall(name: string, content: Uint8Array): Promise<void> {
    return this.#storage.replaceSmall(name, content)
  }

  async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    const file = await this.#storage.openSegment(name, mode)
    return {
      read: async (position, length) => {
        const bytes = await file.read(position, length)
        this.#read.set(name, this.bytesReadOf(name) + bytes.length)
        return bytes
      },
      size: () => file.size(),
      dataEnd: () => file.dataEnd(),
      write: (position, parts) => file.write(position, parts),
      sync: () => file.sync(),
      syncInBackground: () => file.syncInBackground(),
      reserve: (length) => file.reserve(length),
      zero: (from, to) => file.zero(from, to),
      truncate: (length) => file.truncate(length),
      punch: (from, to) => file.punch(from, to),
      close: () => file.close(),
    }
  }

  openReader(name: string): SegmentReader {
    const reader = this.#storage.openReader(name)
    return {
      readSync: (position, target, offset, length) => {
        const read = reader.readSync(position, target, offset, length)
        this.bodyReads++
        this.#read.set(name, this.bytesReadOf(name) + read)
        return read
      },
      forgetAhead: () => reader.forgetAhead(),
      close: () => reader.close(),
    }
  }

  remove(name: string): Promise<void> {
    return this.#storage.remove(name)
  }
}
