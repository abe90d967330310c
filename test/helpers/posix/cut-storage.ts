/** A log storage that takes nothing more once it is cut: what a killed process leaves, while its remains run on here. */
import type { LogStorage, SegmentFile, SegmentReader } from '../../../src/engine/log/storage.js'

export class CutStorage implements LogStorage {
  readonly #storage: LogStorage
  isCut = false

  constructor(storage: LogStorage) {
    this.#storage = storage
  }

  list(): Promise<string[]> {
    return this.#storage.list()
  }

  readSmall(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    return this.#storage.readSmall(name, maxBytes)
  }

  async replaceSmall(name: string, content: Uint8Array): Promise<void> {
    if (!this.isCut) await this.#storage.replaceSmall(name, content)
  }

  async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    const file = await this.#storage.openSegment(name, this.isCut ? 'read' : mode)
    const unlessCut = async (change: () => Promise<void>): Promise<void> => {
      if (!this.isCut) await change()
    }
    return {
      size: () => file.size(),
      dataEnd: () => file.dataEnd(),
      read: (position, length) => file.read(position, length),
      write: (position, parts) => unlessCut(() => file.write(position, parts)),
      sync: () => unlessCut(() => file.sync()),
      syncInBackground: () => unlessCut(() => file.syncInBackground()),
      reserve: (length) => unlessCut(() => file.reserve(length)),
      zero: (from, to) => unlessCut(() => file.zero(from, to)),
      truncate: (length) => unlessCut(() => file.truncate(length)),
      punch: async (from, to) => !this.isCut && (await file.punch(from, to)),
      close: () => file.close(),
    }
  }

  openReader(name: string): SegmentReader {
    return this.#storage.openReader(name)
  }

  async remove(name: string): Promise<void> {
    if (!this.isCut) await this.#storage.remove(name)
  }
}
