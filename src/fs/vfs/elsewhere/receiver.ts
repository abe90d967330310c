/**
 * Takes in batches that another copy of the chain made, while the file system is in use. Nothing of it is dirty then, and
 * nothing is changed until it is done: changes wait. Reads go on, and see all of a run or nothing.
 */
import { receivedChanges, type ReceivedChange } from '../../../engine/chain/received-changes.js'
import type { ChangeSink } from '../../../engine/chain/change-stream.js'
import { AteError } from '../../../engine/error.js'
import type { BatchBytes } from '../../../engine/log/index.js'
import type { Inode } from '../inodes/inode.js'
import { decodeNumbers } from '../inodes/inode-numbers.js'
import { KIND_INODE, KIND_STATE, STATE_NUMBERS } from '../records/record-kinds.js'
import type { FileSystemState } from '../state.js'
import { ROOT_INO, type ChangedElsewhere, type Ino } from '../types.js'
import { ElsewhereChanges } from './changes.js'

export interface ReceiveOptions {
  isDurable: boolean
  /** Content may be missing that a later batch drops. */
  mayMiss: boolean
}

const LISTED_RECORDS = 256
/** Extents in memory of all files that were deleted elsewhere and are in use here: 64 bytes each. */
const MAX_KEPT_EXTENTS = 262_144

export class Receiver {
  readonly #state: FileSystemState
  readonly #commit: () => Promise<void>
  #receiving: Promise<void> | undefined
  #keptExtents = 0
  /** Told after each run, of what the kernel may remember. */
  onChanged: (changed: ChangedElsewhere) => void = () => undefined

  /** `commit` makes everything dirty a batch. */
  constructor(state: FileSystemState, commit: () => Promise<void>) {
    this.#state = state
    this.#commit = commit
    state.view.keepBodiesFor?.(() => this.#mark())
  }

  /** Settled when nothing is taken in; undefined when nothing is. Never rejects. */
  get receiving(): Promise<void> | undefined {
    return this.#receiving
  }

  receive(run: readonly BatchBytes[], options: ReceiveOptions): Promise<void> {
    const received = (this.#receiving ?? Promise.resolve()).then(() => this.#receive(run, options))
    const onEnd = (): void => {
      if (this.#receiving === ended) this.#receiving = undefined
    }
    const ended = received.then(onEnd, onEnd)
    this.#receiving = ended
    return received
  }

  /** Nobody uses it any more. */
  release(ino: Ino): void {
    const { departed } = this.#state.inodes
    const inode = departed.get(ino)
    if (inode === undefined) return
    departed.delete(ino)
    this.#keptExtents -= inode.kept?.length ?? 0
  }

  /** What was deleted elsewhere and is in use here is read still. */
  #mark(): () => boolean {
    const { departed } = this.#state.inodes
    const inUse = [...departed.values()]
    return () => inUse.every((inode) => departed.get(inode.ino) !== inode)
  }

  async #receive(run: readonly BatchBytes[], { isDurable, mayMiss }: ReceiveOptions): Promise<void> {
    const { view } = this.#state
    if (view.verifyRun === undefined || view.receive === undefined)
      throw new AteError('NOT_SUPPORTED', 'This chain takes in nothing from elsewhere.')
    await this.#commit()
    const batches = await view.verifyRun(run, mayMiss)
    const changes = batches.flatMap(({ records }) => receivedChanges(records))
    demandNumbers(changes)
    let changed: ChangedElsewhere | undefined
    await view.receive(batches, {
      isDurable,
      mayMiss,
      apply: (sink) => {
        changed = this.#apply(changes, sink)
      },
    })
    if (changed !== undefined) this.onChanged(changed)
  }

  #apply(changes: readonly ReceivedChange[], sink: ChangeSink): ChangedElsewhere {
    const { inodes, numbers, entries } = this.#state
    const departing = this.#departing(changes)
    const changed = new ElsewhereChanges()
    for (const change of changes) this.#put(change, sink, changed)
    if (changed.hasNumbers) numbers.reload()
    for (const ino of changed.inodes) inodes.refresh(ino)
    for (const inode of departing) inodes.departed.set(inode.ino, inode)
    for (const directory of changed.directories) entries.forget(directory)
    return this.#known(changed)
  }

  #put(change: ReceivedChange, sink: ChangeSink, changed: ElsewhereChanges): void {
    const { view } = this.#state
    const { kind, high } = change
    if ('low' in change) {
      const { low, value } = change
      changed.note(kind, high, low, view.get(kind, high, low), value ?? undefined)
      if (value === null) sink.delete(kind, high, low)
      else sink.put(kind, high, low, value)
      return
    }
    const { from, to } = change
    if (!changed.noteDeleted(kind, high, from, to))
      for (let next = from; next <= to;) {
        const items = view.range(kind, high, next, to, LISTED_RECORDS)
        for (const { low, value } of items) changed.note(kind, high, low, value, undefined)
        next = items.length < LISTED_RECORDS ? to + 1 : (items.at(-1)?.low ?? to) + 1
      }
    sink.deleteRange(kind, high, from, to)
  }

  /** What is deleted and in use here, with what the records still say of its content. */
  #departing(changes: readonly ReceivedChange[]): Inode[] {
    const { references, inodes, content } = this.#state
    const gone = new Set<Ino>()
    for (const change of changes) {
      if (change.kind !== KIND_INODE || !('low' in change)) continue
      if (change.value !== null) gone.delete(change.low)
      else if (references.get(change.low) > 0) gone.add(change.low)
    }
    const departing: Inode[] = []
    for (const ino of gone) {
      const inode = findQuietly(this.#state, ino)
      if (inode === undefined || inode.isDirectory) continue
      if (inode.isFile && !content.keep(inode, MAX_KEPT_EXTENTS - this.#keptExtents)) continue
      this.#keptExtents += inode.kept?.length ?? 0
      inode.nlink = 0
      inode.xattrs = 0
      departing.push(inode)
    }
    inodes.forgetOrphans(gone)
    return departing
  }

  /** The kernel remembers only what it refers to; the root always. */
  #known(changed: ElsewhereChanges): ChangedElsewhere {
    const { references, inodes } = this.#state
    const isKnown = (ino: Ino): boolean => ino === ROOT_INO || references.get(ino) > 0
    const inUse = new Set([...changed.inodes, ...changed.contents.keys()].filter(isKnown))
    return {
      entries: changed.entries
        .filter(({ parent }) => isKnown(parent))
        .map(({ parent, name, before }) => {
          const isGone = before !== undefined && changed.inodes.has(before) && !inodes.hasName(before)
          return { parent, name, gone: isGone ? before : undefined }
        }),
      directories: [...changed.directories].filter(isKnown),
      inodes: [...inUse].map((ino) => ({
        ino,
        content: inodes.departed.has(ino) ? undefined : changed.contents.get(ino),
      })),
    }
  }
}

/** Once it is kept it is too late to refuse what this program cannot go on with. BAD_FORMAT. */
function demandNumbers(changes: readonly ReceivedChange[]): void {
  for (const change of changes)
    if ('low' in change && change.kind === KIND_STATE && change.low === STATE_NUMBERS && change.value !== null)
      decodeNumbers(change.value)
}

function findQuietly({ inodes }: FileSystemState, ino: Ino): Inode | undefined {
  try {
    return inodes.find(ino)
  } catch {
    // It could not be read before either.
    return undefined
  }
}
