/**
 * The file system of a mount whose copy of the chain may be exchanged for another one while it is in use. Requests wait meanwhile;
 * what the kernel refers to stays what it was, and is STALE where it does not exist in the other copy.
 */
import { copyOf } from '../../engine/bytes/copy.js'
import { inTime } from '../../client/index.js'
import { AteError, errorCode } from '../../engine/error.js'
import type { BatchBytes } from '../../engine/log/index.js'
import { systemTimers } from '../../wire/index.js'
import type { ReferenceCounts } from '../vfs/inodes/reference-counts.js'
import type { MergeReport } from '../vfs/merge/merger.js'
import type { Tail } from '../vfs/merge/tail.js'
import * as Types from '../vfs/types.js'
import type { Answer, Ino, Name } from '../vfs/types.js'
import type { OpenedFileSystem } from './opened-file-system.js'
import type { TakeOptions } from './shared-receiver.js'

/** A request waits no longer for the other copy. */
const PATIENCE_MS = 30_000

export class ExchangeableFileSystem implements OpenedFileSystem {
  readonly #references: ReferenceCounts
  readonly #beforeEnd: () => Promise<void>
  readonly #patienceMs: number
  #current: OpenedFileSystem
  #listener: (changed: Types.ChangedElsewhere) => void = () => undefined
  /** Never rejects. */
  #exchanging: Promise<void> | undefined
  /** The root never waits. */
  #root: Types.Attributes | undefined
  #failure: AteError | undefined
  /** Numbers that mean another inode now than the kernel believes, until it has forgotten those. */
  readonly #stale = new Set<Ino>()

  /** `beforeEnd` is waited for before the last commit, and gives up what waits for others. */
  constructor(
    current: OpenedFileSystem,
    references: ReferenceCounts,
    beforeEnd: () => Promise<void>,
    patienceMs = PATIENCE_MS,
  ) {
    this.#current = current
    this.#beforeEnd = beforeEnd
    this.#references = references
    this.#patienceMs = patienceMs
  }

  get isExchanging(): boolean {
    return this.#exchanging !== undefined
  }

  /** Resolves when the other one is there. Undefined when none is on its way. TIMED_OUT. */
  exchanged(): Promise<void> | undefined {
    return this.#exchanging && inTime(systemTimers, this.#patienceMs, this.#exchanging)
  }

  /**
   * Requests wait, for a bounded time, until `next` has the other one, which has the same references. When it rejects so does this,
   * and all of them fail.
   */
  exchange(next: (before: OpenedFileSystem) => Promise<OpenedFileSystem>): Promise<void> {
    const root = this.#current.getAttributes(Types.ROOT_INO)
    if (this.#exchanging === undefined && !(root instanceof Promise)) this.#root = plain(root)
    const exchanged = (this.#exchanging ?? Promise.resolve())
      .then(() => next(this.#current))
      .then(
        (fileSystem) => this.#use(fileSystem),
        (error: unknown) => {
          throw this.#fail(error)
        },
      )
    const settled = exchanged
      .catch(() => undefined)
      .then(() => {
        if (this.#exchanging === settled) this.#exchanging = undefined
      })
    this.#exchanging = settled
    return exchanged
  }

  /** They are not what the kernel believes, where it refers to them. */
  markStale(inodes: Iterable<Ino>): void {
    for (const ino of inodes) if (this.#references.get(ino) > 0) this.#stale.add(ino)
  }

  /** They are again. */
  unmarkStale(inodes: Iterable<Ino>): void {
    for (const ino of inodes) this.#stale.delete(ino)
  }

  get dirtyBytes(): number {
    return this.#current.dirtyBytes
  }

  set onChangedElsewhere(listener: (changed: Types.ChangedElsewhere) => void) {
    this.#listener = listener
    this.#current.onChangedElsewhere = listener
  }

  get onChangedElsewhere(): (changed: Types.ChangedElsewhere) => void {
    return this.#listener
  }

  lookup(parent: Ino, name: Name): Answer<Types.Attributes | undefined> {
    const found = this.#do(parent, (fs) => fs.lookup(parent, name))
    if (this.#stale.size === 0) return found
    return found instanceof Promise ? found.then((each) => this.#sound(each)) : this.#sound(found)
  }

  getAttributes(ino: Ino): Answer<Types.Attributes> {
    if (ino === Types.ROOT_INO && this.#exchanging !== undefined && this.#root !== undefined) return this.#root
    return this.#do(ino, (fs) => fs.getAttributes(ino))
  }

  setAttributes(ino: Ino, change: Types.AttributeChange, caller: Types.Caller): Answer<Types.Attributes> {
    const [what, who] = [{ ...change }, { ...caller }]
    return this.#do(ino, (fs) => fs.setAttributes(ino, what, who))
  }

  readLink(ino: Ino): Answer<Uint8Array> {
    return this.#do(ino, (fs) => fs.readLink(ino))
  }

  makeNode(parent: Ino, name: Name, node: Types.MakeNode, caller: Types.Caller): Answer<Types.Attributes> {
    const [what, who] = [{ ...node }, { ...caller }]
    return this.#do(parent, (fs) => fs.makeNode(parent, name, what, who))
  }

  makeDirectory(parent: Ino, name: Name, mode: number, umask: number, caller: Types.Caller): Answer<Types.Attributes> {
    const who = { ...caller }
    return this.#do(parent, (fs) => fs.makeDirectory(parent, name, mode, umask, who))
  }

  makeSymlink(parent: Ino, name: Name, target: Uint8Array, caller: Types.Caller): Answer<Types.Attributes> {
    const [where, who] = [copyOf(target), { ...caller }]
    return this.#do(parent, (fs) => fs.makeSymlink(parent, name, where, who))
  }

  makeTemporary(parent: Ino, mode: number, umask: number, caller: Types.Caller): Answer<Types.Attributes> {
    const who = { ...caller }
    return this.#do(parent, (fs) => fs.makeTemporary(parent, mode, umask, who))
  }

  link(ino: Ino, parent: Ino, name: Name, caller: Types.Caller): Answer<Types.Attributes> {
    const who = { ...caller }
    return this.#do(ino, (fs) => fs.link(ino, parent, name, who), parent)
  }

  unlink(parent: Ino, name: Name, caller: Types.Caller): Answer<void> {
    const who = { ...caller }
    return this.#do(parent, (fs) => fs.unlink(parent, name, who))
  }

  removeDirectory(parent: Ino, name: Name, caller: Types.Caller): Answer<void> {
    const who = { ...caller }
    return this.#do(parent, (fs) => fs.removeDirectory(parent, name, who))
  }

  rename(parent: Ino, name: Name, newParent: Ino, newName: Name, flags: number, caller: Types.Caller): Answer<void> {
    const who = { ...caller }
    return this.#do(parent, (fs) => fs.rename(parent, name, newParent, newName, flags, who), newParent)
  }

  read(ino: Ino, offset: number, length: number, target: Uint8Array, targetStart: number): Answer<number> {
    return this.#do(ino, (fs) => fs.read(ino, offset, length, target, targetStart))
  }

  write(ino: Ino, offset: number, data: Uint8Array, options: Types.WriteOptions): Answer<number> {
    const how = { ...options }
    return this.#do(ino, (fs) => fs.write(ino, offset, data, how))
  }

  allocate(ino: Ino, mode: number, offset: number, length: number, caller?: Types.Caller): Answer<void> {
    const who = caller && { ...caller }
    return this.#do(ino, (fs) => fs.allocate(ino, mode, offset, length, who))
  }

  seek(ino: Ino, offset: number, whence: number): Answer<number> {
    return this.#do(ino, (fs) => fs.seek(ino, offset, whence))
  }

  copyRange(
    source: Ino,
    sourceOffset: number,
    target: Ino,
    targetOffset: number,
    length: number,
    caller?: Types.Caller,
  ): Answer<number> {
    const who = caller && { ...caller }
    return this.#do(target, (fs) => fs.copyRange(source, sourceOffset, target, targetOffset, length, who), source)
  }

  readDirectory(ino: Ino, cookie: number, sink: Types.EntrySink): Answer<void> {
    return this.#do(ino, (fs) => fs.readDirectory(ino, cookie, sink))
  }

  getExtendedAttribute(ino: Ino, name: string): Answer<Uint8Array | undefined> {
    return this.#do(ino, (fs) => fs.getExtendedAttribute(ino, name))
  }

  setExtendedAttribute(
    ino: Ino,
    name: string,
    value: Uint8Array,
    flags: number,
    caller: Types.Caller,
    clearSetgid: boolean,
  ): Answer<void> {
    const [what, who] = [copyOf(value), { ...caller }]
    return this.#do(ino, (fs) => fs.setExtendedAttribute(ino, name, what, flags, who, clearSetgid))
  }

  listExtendedAttributes(ino: Ino, caller?: Types.Caller): Answer<Uint8Array> {
    const who = caller && { ...caller }
    return this.#do(ino, (fs) => fs.listExtendedAttributes(ino, who))
  }

  removeExtendedAttribute(ino: Ino, name: string, caller: Types.Caller): Answer<void> {
    const who = { ...caller }
    return this.#do(ino, (fs) => fs.removeExtendedAttribute(ino, name, who))
  }

  statistics(): Types.FileSystemStatistics {
    return this.#current.statistics()
  }

  async sync(): Promise<void> {
    await this.#do(Types.ROOT_INO, (fs) => fs.sync())
  }

  retain(ino: Ino): void {
    this.#references.add(ino, 1)
  }

  release(ino: Ino, count: number): void {
    if (this.#stale.size > 0 && this.#references.get(ino) <= count) this.#stale.delete(ino)
    // What nobody uses any more is looked for when the other one is opened.
    if (this.#exchanging !== undefined) this.#references.subtract(ino, count)
    else this.#current.release(ino, count)
  }

  receive(run: readonly BatchBytes[], options: TakeOptions): Promise<void> {
    return this.#current.receive(run, options)
  }

  flush(): Promise<void> {
    return this.#current.flush()
  }

  merge(tail: Tail): Promise<MergeReport | undefined> {
    return this.#current.merge(tail)
  }

  async close(): Promise<void> {
    await this.exchanged()?.catch(() => undefined)
    await this.#beforeEnd()
    await this.#exchanging
    // What was to be merged after that is given up at once.
    await this.#beforeEnd()
    if (this.#failure === undefined) await this.#current.close()
  }

  #use(fileSystem: OpenedFileSystem): void {
    this.#current = fileSystem
    fileSystem.onChangedElsewhere = this.#listener
  }

  #fail(cause: unknown): AteError {
    const why = cause instanceof Error ? cause.message : String(cause)
    this.#failure = new AteError('INPUT_OUTPUT', `The copy of the chain could not be opened again: ${why}`, { cause })
    return this.#failure
  }

  #sound(found: Types.Attributes | undefined): Types.Attributes | undefined {
    if (found !== undefined && this.#stale.has(found.ino)) throw staleError()
    return found
  }

  /** `other` is used too. */
  #do<T>(ino: Ino, request: (fileSystem: OpenedFileSystem) => Answer<T>, other = ino): Answer<T> {
    const exchanged = this.exchanged()
    if (exchanged !== undefined) return exchanged.then(() => this.#do(ino, request, other))
    if (this.#failure !== undefined) throw this.#failure
    if (this.#stale.size > 0 && (this.#stale.has(ino) || this.#stale.has(other))) throw staleError()
    const answer = request(this.#current)
    if (!(answer instanceof Promise)) return answer
    return answer.catch((error: unknown) => this.#again(error, () => this.#do(ino, request, other)))
  }

  /** What was refused because the copy is of no use any more is done on the next one. */
  #again<T>(error: unknown, request: () => Answer<T>): Answer<T> {
    if (errorCode(error) !== 'COMMIT_SET_ASIDE' || !this.isExchanging) throw error
    return request()
  }
}

function staleError(): AteError {
  return new AteError('STALE', 'It is not in the copy of the chain any more.')
}

function plain(attributes: Types.Attributes): Types.Attributes {
  const { ino, mode, nlink, uid, gid, rdev, size, blocks, birthSec, birthNsec } = attributes
  const { atimeSec, atimeNsec, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec } = attributes
  const times = { atimeSec, atimeNsec, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec, birthSec, birthNsec }
  return { ino, mode, nlink, uid, gid, rdev, size, blocks, ...times }
}
