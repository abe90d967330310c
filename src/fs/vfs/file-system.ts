/**
 * The file system of a chain. Each method lets the change in (read-only? enough space?), does it at once and in one go,
 * and tells the scheduler: no request is ever half done when another one, or a commit, comes.
 */
import { copyOf } from '../../engine/bytes/copy.js'
import { AttributeChanges } from './attribute-changes.js'
import { CommitScheduler, SHARED, SystemTimer } from './commits/commit-scheduler.js'
import { Admission } from './commits/admission.js'
import { Commits, readOnlyError } from './commits/commits.js'
import { repackContent } from './content/repack.js'
import { Creation } from './creation.js'
import { COOKIE_DOT, COOKIE_DOT_DOT } from './directories/directory-pages.js'
import { entryType, S_IFDIR, S_IFLNK, S_IFMT } from './inodes/modes.js'
import { UnusedInodes } from './inodes/unused-inodes.js'
import { ExtendedAttributes } from './xattrs/extended-attributes.js'
import { Receiver, type ReceiveOptions } from './elsewhere/receiver.js'
import { FileAccess } from './file-access.js'
import { Links } from './links.js'
import { Merger, type MergeReport } from './merge/merger.js'
import type { Tail } from './merge/tail.js'
import type { RepackWork } from '../../engine/chain/compaction/rewrite-work.js'
import { AteError } from '../../engine/error.js'
import type { BatchBytes } from '../../engine/log/index.js'
import { DEFAULT_SPACE, type FileSystemOptions, type Space } from './options.js'
import type { FileSystemState } from './state.js'
import { statisticsOf } from './statistics.js'
import type * as Types from './types.js'
import { FALLOC_PUNCH_HOLE } from './types.js'

/** What a change may add to the log beside its content. */
const CHANGE_BYTES = 1024
/** One copyRange call copies at most this; its caller asks again. */
const COPY_BYTES = 1024 * 1024

const DIRECTORY_TYPE = entryType(S_IFDIR)

export class ChainFileSystem implements Types.FileSystem {
  readonly #state: FileSystemState
  readonly #commits: Commits
  readonly #scheduler: CommitScheduler
  readonly #creation: Creation
  readonly #links: Links
  readonly #changes: AttributeChanges
  readonly #files: FileAccess
  readonly #xattrs: ExtendedAttributes
  readonly #receiver: Receiver
  readonly #space: () => Space
  readonly #readOnly: boolean
  /** Others change the chain too. */
  readonly #isShared: boolean
  readonly #admission: Admission
  readonly #unused: UnusedInodes
  readonly #merger: Merger

  /** For `openFileSystem`, which prepares the records. */
  constructor(state: FileSystemState, options: FileSystemOptions) {
    this.#state = state
    this.#readOnly = options.readOnly === true || state.view.readOnly
    this.#isShared = options.writer !== undefined
    this.#commits = new Commits(state, options.onWarning, options.synced)
    const commit = (isDurable: boolean): void => this.#commitInBackground(isDurable)
    const cadence = this.#isShared ? SHARED : undefined
    this.#scheduler = new CommitScheduler(options.timer ?? new SystemTimer(), commit, cadence)
    state.inodes.onLateChange = () => this.#changed()
    state.view.repackWith?.((work) => this.#repack(work))
    this.#creation = new Creation(state)
    this.#links = new Links(state, this.#creation)
    this.#changes = new AttributeChanges(state)
    const accessTime = this.#readOnly ? 'noatime' : (options.accessTime ?? 'relatime')
    this.#files = new FileAccess(state, this.#changes, { accessTime, onWarning: options.onWarning })
    const receiver = new Receiver(state, () => this.#commits.commit(false))
    this.#receiver = receiver
    this.#admission = new Admission({
      view: state.view,
      clock: state.clock,
      commits: this.#commits,
      receiving: () => receiver.receiving,
      readOnly: this.#readOnly,
    })
    this.#unused = new UnusedInodes(state, this.#admission, () => this.#changed())
    const parts = { state, links: this.#links, admission: this.#admission, unused: this.#unused, receiver }
    this.#merger = new Merger({ ...parts, commits: this.#commits, writer: options.writer })
    this.#xattrs = new ExtendedAttributes(state)
    this.#space = options.space ?? (() => DEFAULT_SPACE)
  }

  lookup(parent: Types.Ino, name: Types.Name): Types.Attributes | undefined {
    const { inodes, entries } = this.#state
    const directory = this.#state.directory(parent)
    if (name === '.') return directory
    if (name === '..') return inodes.get(directory.parent)
    const entry = entries.find(parent, name)
    return entry === undefined ? undefined : inodes.getNamed(entry.ino)
  }

  getAttributes(ino: Types.Ino): Types.Attributes {
    return this.#state.inodes.get(ino)
  }

  setAttributes(ino: Types.Ino, change: Types.AttributeChange, caller: Types.Caller): Types.Answer<Types.Attributes> {
    const wait = this.#admit(CHANGE_BYTES, false)
    if (wait !== undefined) return wait.then(() => this.setAttributes(ino, change, caller))
    const inode = this.#state.changeable(ino)
    this.#changes.apply(inode, change)
    this.#changed()
    return inode
  }

  readLink(ino: Types.Ino): Uint8Array {
    const inode = this.#state.inodes.get(ino)
    if ((inode.mode & S_IFMT) !== S_IFLNK) throw new AteError('INVALID', 'Not a symbolic link.')
    this.#files.accessed(inode)
    return inode.target ?? new Uint8Array()
  }

  makeNode(
    parent: Types.Ino,
    name: Types.Name,
    node: Types.MakeNode,
    caller: Types.Caller,
  ): Types.Answer<Types.Attributes> {
    const wait = this.#admit(CHANGE_BYTES, false)
    if (wait !== undefined) {
      const [nodeCopy, who] = [{ ...node }, { ...caller }]
      return wait.then(() => this.makeNode(parent, name, nodeCopy, who))
    }
    const inode = this.#creation.makeNode(parent, name, node, caller)
    this.#changed()
    return inode
  }

  makeDirectory(
    parent: Types.Ino,
    name: Types.Name,
    mode: number,
    umask: number,
    caller: Types.Caller,
  ): Types.Answer<Types.Attributes> {
    const wait = this.#admit(CHANGE_BYTES, false)
    if (wait !== undefined) {
      const who = { ...caller }
      return wait.then(() => this.makeDirectory(parent, name, mode, umask, who))
    }
    const inode = this.#creation.makeDirectory(parent, name, mode, umask, caller)
    this.#changed()
    return inode
  }

  makeSymlink(
    parent: Types.Ino,
    name: Types.Name,
    target: Uint8Array,
    caller: Types.Caller,
  ): Types.Answer<Types.Attributes> {
    const wait = this.#admit(CHANGE_BYTES + target.length, false)
    if (wait !== undefined) {
      const [targetCopy, who] = [copyOf(target), { ...caller }]
      return wait.then(() => this.makeSymlink(parent, name, targetCopy, who))
    }
    const inode = this.#creation.makeSymlink(parent, name, target, caller)
    this.#changed()
    return inode
  }

  makeTemporary(parent: Types.Ino, mode: number, umask: number, caller: Types.Caller): Types.Answer<Types.Attributes> {
    const wait = this.#admit(CHANGE_BYTES, false)
    if (wait !== undefined) {
      const who = { ...caller }
      return wait.then(() => this.makeTemporary(parent, mode, umask, who))
    }
    const inode = this.#creation.makeTemporary(parent, mode, umask, caller)
    this.#changed()
    return inode
  }

  link(ino: Types.Ino, parent: Types.Ino, name: Types.Name, caller: Types.Caller): Types.Answer<Types.Attributes> {
    const wait = this.#admit(CHANGE_BYTES, false)
    if (wait !== undefined) return wait.then(() => this.link(ino, parent, name, caller))
    const inode = this.#links.link(ino, parent, name)
    this.#changed()
    return inode
  }

  unlink(parent: Types.Ino, name: Types.Name, caller: Types.Caller): Types.Answer<void> {
    const wait = this.#admit(CHANGE_BYTES, true)
    if (wait !== undefined) return wait.then(() => this.unlink(parent, name, caller))
    this.#links.unlink(parent, name)
    this.#changed()
  }

  removeDirectory(parent: Types.Ino, name: Types.Name, caller: Types.Caller): Types.Answer<void> {
    const wait = this.#admit(CHANGE_BYTES, true)
    if (wait !== undefined) return wait.then(() => this.removeDirectory(parent, name, caller))
    this.#links.removeDirectory(parent, name)
    this.#changed()
  }

  rename(
    parent: Types.Ino,
    name: Types.Name,
    newParent: Types.Ino,
    newName: Types.Name,
    flags: number,
    caller: Types.Caller,
  ): Types.Answer<void> {
    const wait = this.#admit(CHANGE_BYTES, false)
    if (wait !== undefined) {
      const who = { ...caller }
      return wait.then(() => this.rename(parent, name, newParent, newName, flags, who))
    }
    this.#links.rename(parent, name, newParent, newName, flags, caller)
    this.#changed()
  }

  read(ino: Types.Ino, offset: number, length: number, target: Uint8Array, targetStart: number): Types.Answer<number> {
    return this.#files.read(ino, offset, length, target, targetStart)
  }

  write(ino: Types.Ino, offset: number, data: Uint8Array, options: Types.WriteOptions): Types.Answer<number> {
    const wait = this.#admit(CHANGE_BYTES + data.length, false)
    if (wait !== undefined) {
      const copy = { ...options }
      return wait.then(() => this.write(ino, offset, data, copy))
    }
    const written = this.#files.write(ino, offset, data, options)
    this.#changed()
    return written
  }

  allocate(ino: Types.Ino, mode: number, offset: number, length: number, caller?: Types.Caller): Types.Answer<void> {
    const isRoot = caller?.uid === 0
    const wait = this.#admit(CHANGE_BYTES, (mode & FALLOC_PUNCH_HOLE) !== 0)
    if (wait !== undefined) {
      const who = caller && { ...caller }
      return wait.then(() => this.allocate(ino, mode, offset, length, who))
    }
    this.#files.allocate(ino, mode, offset, length, { clearPrivileges: !isRoot })
    this.#changed()
  }

  seek(ino: Types.Ino, offset: number, whence: number): number {
    return this.#files.seek(ino, offset, whence)
  }

  async copyRange(
    source: Types.Ino,
    sourceOffset: number,
    target: Types.Ino,
    targetOffset: number,
    length: number,
    caller?: Types.Caller,
  ): Promise<number> {
    const isRoot = caller?.uid === 0
    const data = new Uint8Array(Math.min(length, COPY_BYTES))
    const count = await this.read(source, sourceOffset, data.length, data, 0)
    return count === 0 ? 0 : this.write(target, targetOffset, data.subarray(0, count), { clearPrivileges: !isRoot })
  }

  readDirectory(ino: Types.Ino, cookie: number, sink: Types.EntrySink): void {
    const directory = this.#state.directory(ino)
    this.#files.accessed(directory)
    if (cookie < COOKIE_DOT && !sink('.' as Types.Name, ino, DIRECTORY_TYPE, COOKIE_DOT)) return
    if (cookie < COOKIE_DOT_DOT && !sink('..' as Types.Name, directory.parent, DIRECTORY_TYPE, COOKIE_DOT_DOT)) return
    this.#state.pages.list(ino, cookie, sink)
  }

  getExtendedAttribute(ino: Types.Ino, name: string): Uint8Array | undefined {
    return this.#xattrs.get(this.#state.inodes.get(ino), name)
  }

  setExtendedAttribute(
    ino: Types.Ino,
    name: string,
    value: Uint8Array,
    flags: number,
    caller: Types.Caller,
    clearSetgid: boolean,
  ): Types.Answer<void> {
    const wait = this.#admit(CHANGE_BYTES + value.length, false)
    if (wait !== undefined) {
      const copy = copyOf(value)
      return wait.then(() => this.setExtendedAttribute(ino, name, copy, flags, caller, clearSetgid))
    }
    this.#xattrs.set(this.#state.changeable(ino), name, value, flags, clearSetgid)
    this.#changed()
  }

  listExtendedAttributes(ino: Types.Ino, caller?: Types.Caller): Uint8Array {
    return this.#xattrs.list(this.#state.inodes.get(ino), caller === undefined || caller.uid === 0)
  }

  removeExtendedAttribute(ino: Types.Ino, name: string, caller: Types.Caller): Types.Answer<void> {
    const wait = this.#admit(CHANGE_BYTES, true)
    if (wait !== undefined) return wait.then(() => this.removeExtendedAttribute(ino, name, caller))
    this.#xattrs.remove(this.#state.changeable(ino), name)
    this.#changed()
  }

  statistics(): Types.FileSystemStatistics {
    return statisticsOf(this.#space(), this.#state.numbers.inodes)
  }

  sync(): Promise<void> {
    if (this.#readOnly) return Promise.resolve()
    this.#scheduler.committed(true)
    return this.#commits.sync()
  }

  retain(ino: Types.Ino): void {
    this.#state.references.add(ino, 1)
  }

  release(ino: Types.Ino, count: number): void {
    const { references, inodes } = this.#state
    if (references.subtract(ino, count) > 0) return
    if (inodes.departed.size > 0) this.#receiver.release(ino)
    if (inodes.orphans.size > 0) this.#unused.remove(ino)
  }

  /** What was not removed when the last mount ended. */
  removeUnused(): void {
    this.#unused.removeAll()
  }

  /**
   * Takes in batches that another copy of the chain made, all or none. Changes wait meanwhile. CHAIN_GAP, CHAIN_FORKED,
   * OTHER_CHAIN, BATCH_REFUSED, UNSUPPORTED_FORMAT, BAD_FORMAT, NO_SPACE: nothing of them is kept then. WRITE_FAILED.
   */
  receive(run: readonly BatchBytes[], options: ReceiveOptions): Promise<void> {
    return this.#receiver.receive(run, options)
  }

  /** Brings what was set aside together with what others have made. As `Merger.merge`. */
  merge(tail: Tail): Promise<MergeReport | undefined> {
    return this.#merger.merge(tail)
  }

  set onChangedElsewhere(listener: (changed: Types.ChangedElsewhere) => void) {
    this.#receiver.onChanged = listener
  }

  /**
   * Before the turn goes to others, who add to the chain behind what is there: everything is in the log. Nothing may be let in
   * from before the call until the turn comes again, and nothing is changed by it. WRITE_FAILED.
   */
  async flush(): Promise<void> {
    if (this.#readOnly) return
    this.#scheduler.committed(false)
    await this.#commits.commitAskingNothing()
  }

  /** Bytes that changed and are not in the view's current transaction yet, as an estimate. */
  get dirtyBytes(): number {
    return this.#commits.dirtyBytes
  }

  /** Nothing may be called after this. Commits everything; rejects with WRITE_FAILED. */
  async close(): Promise<void> {
    this.#scheduler.close()
    this.#unused.close()
    if (this.#readOnly) return
    if (await this.#mayChangeAtEnd()) {
      this.#unused.removeAllAtEnd()
      if (!this.#isShared) this.#state.inodes.dirtyAccessTimes()
      this.#state.numbers.close()
    }
    await this.#commits.commit()
  }

  /** False: it is not our turn. Where that is had only by asking, numbers that are not given back are no loss. */
  async #mayChangeAtEnd(): Promise<boolean> {
    if (!this.#isShared) return true
    if (this.#state.inodes.orphans.size === 0) return false
    return this.#admission.admitted(CHANGE_BYTES).then(
      () => true,
      () => false,
    )
  }

  #admit(bytes: number, essential: boolean): Promise<void> | undefined {
    return this.#admission.admit(bytes, essential)
  }

  #changed(): void {
    this.#scheduler.changed(this.#commits.pendingBytes)
  }

  async #repack(work: RepackWork): Promise<void> {
    if (this.#readOnly) throw readOnlyError()
    repackContent(this.#state, work)
    await this.#commits.commit()
  }

  #commitInBackground(isDurable: boolean): void {
    this.#scheduler.committed(isDurable)
    // Its failure is reported once, and by every later change.
    this.#commits.commit(isDurable).catch(() => undefined)
  }
}
