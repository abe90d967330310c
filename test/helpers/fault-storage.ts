/**
 * A log storage that records every operation and can say what the medium would hold had the power failed, or the process
 * been killed, at any of them: what was synced is there, what was not is there in any part and order, sector by sector.
 * It can also be of limited size and fail at a chosen operation.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AteError, type ErrorCode } from '../../src/engine/error.js'
import type { LogStorage, SegmentFile, SegmentReader } from '../../src/engine/log/storage.js'

const SECTOR_BYTES = 512

export class SimulatedFile {
  bytes = new Uint8Array(0)
  length = 0

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.bytes.length))
      grown.set(this.bytes)
      this.bytes = grown
    }
    this.bytes.set(bytes, position)
    this.length = Math.max(this.length, end)
  }

  setLength(length: number): void {
    this.bytes.fill(0, Math.min(length, this.bytes.length))
    this.length = length
  }

  read(position: number, length: number): Uint8Array {
    const target = new Uint8Array(Math.max(0, Math.min(length, this.length - position)))
    target.set(this.bytes.subarray(position, position + target.length))
    return target
  }

  copy(): SimulatedFile {
    const copy = new SimulatedFile()
    copy.bytes = this.bytes.slice()
    copy.length = this.length
    return copy
  }
}

/** `file` is a number that names the file itself: names may be given to several files in turn. */
export type Operation =
  | { kind: 'create'; file: number; name: string }
  | { kind: 'write'; file: number; position: number; bytes: Uint8Array }
  | { kind: 'length'; file: number; length: number }
  /** Of what was asked for before operation `upTo`; all without it. */
  | { kind: 'sync'; file: number; upTo?: number }
  | { kind: 'replace'; name: string; content: Uint8Array }
  | { kind: 'remove'; name: string }
  /** Something the test wants to know the time of. */
  | { kind: 'mark'; note: unknown }

export interface FaultOptions {
  capacityBytes?: number
  /** Thrown instead of doing the operation of this index, and of every later one when `isLasting`. */
  failAt?: { operation: number; code: ErrorCode; isLasting?: boolean }
}

export class FaultStorage implements LogStorage {
  readonly operations: Operation[] = []
  readonly files = new Map<string, number>()
  readonly contents = new Map<number, SimulatedFile>()
  capacityBytes: number
  failAt: FaultOptions['failAt']
  #nextFile = 1
  #background: Promise<void> | undefined

  constructor({ capacityBytes = Infinity, failAt }: FaultOptions = {}) {
    this.capacityBytes = capacityBytes
    this.failAt = failAt
  }

  /** As after the process was killed at a cut: everything done is in the page cache, and the history goes on. */
  static afterKill(operations: readonly Operation[]): FaultStorage {
    const storage = new FaultStorage()
    for (const operation of operations) storage.perform(operation)
    return storage
  }

  /** A storage whose medium holds exactly `files`. */
  static holding(files: ReadonlyMap<string, SimulatedFile>): FaultStorage {
    const storage = new FaultStorage()
    for (const [name, content] of files) {
      const file = storage.#nextFile++
      storage.files.set(name, file)
      storage.contents.set(file, content.copy())
      storage.operations.push({ kind: 'create', file, name })
      storage.operations.push({ kind: 'write', file, position: 0, bytes: content.bytes.slice(0, content.length) })
      storage.operations.push({ kind: 'length', file, length: content.length }, { kind: 'sync', file })
    }
    return storage
  }

  /** All files as they are now. */
  snapshot(): Map<string, SimulatedFile> {
    return new Map([...this.files].map(([name, file]) => [name, this.content(file).copy()]))
  }

  mark(note: unknown): void {
    this.operations.push({ kind: 'mark', note })
  }

  usedBytes(): number {
    let used = 0
    for (const file of this.files.values()) used += this.content(file).length
    return used
  }

  content(file: number): SimulatedFile {
    const content = this.contents.get(file)
    if (content === undefined) throw new Error('no such file')
    return content
  }

  /** Resolves when no sync is under way in the background, whatever came of them. */
  async backgroundSyncs(): Promise<void> {
    await this.#background
  }

  inBackground(sync: Promise<void>): Promise<void> {
    this.#background = sync.catch(() => undefined)
    return sync
  }

  perform(operation: Operation): void {
    this.#fail()
    const before = this.usedBytes()
    const undo = this.#apply(operation)
    if (this.usedBytes() > Math.max(this.capacityBytes, before)) {
      undo()
      throw new AteError('NO_SPACE', 'The simulated disk is full.')
    }
    this.operations.push(operation)
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()]
  }

  async readSmall(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const file = this.files.get(name)
    if (file === undefined) return undefined
    const content = this.content(file)
    if (content.length > maxBytes) throw new AteError('BAD_FORMAT', 'too large')
    return content.read(0, content.length)
  }

  async replaceSmall(name: string, content: Uint8Array): Promise<void> {
    this.perform({ kind: 'replace', name, content: content.slice() })
  }

  async openSegment(name: string, mode: 'read' | 'append' | 'create'): Promise<SegmentFile> {
    const existing = this.files.get(name)
    if (mode !== 'create') return new FaultSegment(this, existing ?? this.#missing(name))
    if (existing !== undefined) throw new AteError('CHAIN_EXISTS', `The file ${name} is there already.`)
    const file = this.#nextFile
    this.perform({ kind: 'create', file, name })
    return new FaultSegment(this, file)
  }

  openReader(name: string): SegmentReader {
    const content = this.content(this.files.get(name) ?? this.#missing(name))
    return {
      readSync: (position, target, targetStart, length) => {
        const bytes = content.read(position, length)
        target.set(bytes, targetStart)
        return bytes.length
      },
      forgetAhead: () => false,
      close: () => {},
    }
  }

  async remove(name: string): Promise<void> {
    if (this.files.has(name)) this.perform({ kind: 'remove', name })
  }

  #missing(name: string): never {
    throw new AteError('INPUT_OUTPUT', `The file ${name} is missing.`)
  }

  #fail(): void {
    const { failAt } = this
    if (failAt === undefined) return
    const index = this.operations.length
    if (index !== failAt.operation && !(failAt.isLasting === true && index > failAt.operation)) return
    if (failAt.isLasting !== true) this.failAt = undefined
    throw new AteError(failAt.code, 'A simulated fault.')
  }

  #apply(operation: Operation): () => void {
    switch (operation.kind) {
      case 'create':
        this.files.set(operation.name, operation.file)
        this.contents.set(operation.file, new SimulatedFile())
        this.#nextFile = operation.file + 1
        return () => this.files.delete(operation.name)
      case 'write': {
        const content = this.content(operation.file)
        const { length } = content
        content.write(operation.position, operation.bytes)
        return () => content.setLength(length)
      }
      case 'length': {
        const content = this.content(operation.file)
        const { length } = content
        content.setLength(operation.length)
        return () => content.setLength(length)
      }
      case 'replace': {
        const before = this.files.get(operation.name)
        const file = this.#nextFile++
        this.files.set(operation.name, file)
        const content = new SimulatedFile()
        content.write(0, operation.content)
        this.contents.set(file, content)
        return () => (before === undefined ? this.files.delete(operation.name) : this.files.set(operation.name, before))
      }
      case 'remove':
        this.files.delete(operation.name)
        return () => {}
      default:
        return () => {}
    }
  }
}

class FaultSegment implements SegmentFile {
  readonly #storage: FaultStorage
  readonly #file: number

  constructor(storage: FaultStorage, file: number) {
    this.#storage = storage
    this.#file = file
  }

  async size(): Promise<number> {
    return this.#storage.content(this.#file).length
  }

  async read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const bytes = this.#storage.content(this.#file).read(position, length)
    if (into === undefined || into.length < length) return bytes
    into.set(bytes)
    return into.subarray(0, bytes.length)
  }

  /** As a file system does it that knows of each sector whether it was written. */
  async dataEnd(): Promise<number> {
    const { bytes, length } = this.#storage.content(this.#file)
    let end = Math.min(bytes.length, length)
    while (end > 0 && bytes[end - 1] === 0) end--
    return Math.min(Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES, length)
  }

  async write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    let at = position
    for (const part of parts) {
      this.#storage.perform({ kind: 'write', file: this.#file, position: at, bytes: part.slice() })
      at += part.length
    }
  }

  async sync(): Promise<void> {
    this.#storage.perform({ kind: 'sync', file: this.#file })
  }

  /** Done a turn later, and then only for what was written when it was asked for. */
  syncInBackground(): Promise<void> {
    const upTo = this.#storage.operations.length
    const sync = nextTurn().then(() => this.#storage.perform({ kind: 'sync', file: this.#file, upTo }))
    return this.#storage.inBackground(sync)
  }

  async reserve(length: number): Promise<void> {
    if (length > this.#storage.content(this.#file).length) await this.truncate(length)
  }

  async zero(from: number, to: number): Promise<void> {
    await this.write(from, [new Uint8Array(to - from)])
  }

  async truncate(length: number): Promise<void> {
    this.#storage.perform({ kind: 'length', file: this.#file, length })
  }

  /** Sector by sector, as a write of zeros: any part of it may have reached the medium. */
  async punch(from: number, to: number): Promise<boolean> {
    const start = Math.ceil(from / SECTOR_BYTES) * SECTOR_BYTES
    const end = Math.floor(Math.min(to, await this.size()) / SECTOR_BYTES) * SECTOR_BYTES
    if (end > start) await this.write(start, [new Uint8Array(end - start)])
    return true
  }

  async close(): Promise<void> {}
}

/** Which of the unsynced sectors and of the unsynced changes of names and lengths reached the medium. */
export type Luck = 'none' | 'all' | (() => number)

/** What the medium holds after the power failed when `operations` had been asked for. */
export function mediumAfter(operations: readonly Operation[], luck: Luck): Map<string, SimulatedFile> {
  const medium = new Medium()
  for (const operation of operations) medium.take(operation)
  return medium.end(luck)
}

class Medium {
  readonly #names = new Map<string, number>()
  readonly #durable = new Map<number, SimulatedFile>()
  #pending: { operation: Operation; index: number }[] = []
  #taken = 0
  #replaced = -1

  take(operation: Operation): void {
    const index = this.#taken++
    switch (operation.kind) {
      case 'create':
        this.#names.set(operation.name, operation.file)
        this.#durable.set(operation.file, new SimulatedFile())
        return
      case 'replace': {
        const file = this.#replaced--
        const content = new SimulatedFile()
        content.write(0, operation.content)
        this.#names.set(operation.name, file)
        this.#durable.set(file, content)
        return
      }
      case 'sync':
        this.#settle(operation.file, operation.upTo ?? index)
        return
      default:
        this.#pending.push({ operation, index })
    }
  }

  end(luck: Luck): Map<string, SimulatedFile> {
    const isLucky = (): boolean => luck === 'all' || (luck !== 'none' && luck() < 0.5)
    // Names and lengths go through a journal: what reached the medium of them is a beginning of what was asked for.
    let isJournalOpen = true
    for (const { operation } of this.#pending) {
      if (operation.kind === 'write') this.#writeSectors(operation.file, operation.position, operation.bytes, isLucky)
      else if ((isJournalOpen &&= isLucky())) this.#change(operation)
    }
    const files = new Map<string, SimulatedFile>()
    for (const [name, file] of this.#names) files.set(name, this.#file(file))
    return files
  }

  #settle(file: number, upTo: number): void {
    const pending = this.#pending
    this.#pending = []
    for (const { operation, index } of pending) {
      if (!('file' in operation) || operation.file !== file || index >= upTo) this.#pending.push({ operation, index })
      else if (operation.kind === 'write') this.#file(file).write(operation.position, operation.bytes)
      else this.#change(operation)
    }
  }

  #change(operation: Operation): void {
    if (operation.kind === 'length') this.#file(operation.file).setLength(operation.length)
    else if (operation.kind === 'remove') this.#names.delete(operation.name)
  }

  #writeSectors(file: number, position: number, bytes: Uint8Array, isLucky: () => boolean): void {
    for (let at = 0; at < bytes.length;) {
      const sectorEnd = SECTOR_BYTES - ((position + at) % SECTOR_BYTES)
      const piece = bytes.subarray(at, at + sectorEnd)
      if (isLucky()) this.#file(file).write(position + at, piece)
      at += piece.length
    }
  }

  #file(file: number): SimulatedFile {
    const content = this.#durable.get(file)
    if (content === undefined) throw new Error('no such file')
    return content
  }
}
