/**
 * Turns dirty state into transactions of the chain, and remembers which are under way. A failed commit ends writing for
 * good: what is in memory and what is on the medium have parted.
 */
import { AteError } from '../../../engine/error.js'
import type { FileSystemState } from '../state.js'

/** Uncommitted and in-flight bytes above this make writers wait: bounds the daemon's memory. */
const MAX_UNCOMMITTED_BYTES = 64 * 1024 * 1024
/** What a dirty inode adds to the bytes pending: its record is not put yet. */
const DIRTY_INODE_BYTES = 512

export class Commits {
  readonly #state: FileSystemState
  readonly #onWarning: (message: string) => void
  readonly #synced: (() => Promise<void>) | undefined
  /** Commits under way, oldest first; these never reject. */
  #inFlight: Promise<void>[] = []
  #failure: AteError | undefined

  constructor(state: FileSystemState, onWarning: (message: string) => void, synced?: () => Promise<void>) {
    this.#synced = synced
    this.#state = state
    this.#onWarning = onWarning
  }

  /** Nothing can be written any more. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Bytes that wait for a commit, in the transaction or on their way there. */
  get pendingBytes(): number {
    return this.#state.view.pendingBytes + this.dirtyBytes
  }

  /** Those not in the view's transaction yet. */
  get dirtyBytes(): number {
    return this.#state.inodes.dirty.length * DIRTY_INODE_BYTES
  }

  /**
   * Makes everything so far one batch. Resolves when it and all before it are durable, or with `isDurable` false when it is
   * in the log; rejects with WRITE_FAILED.
   */
  commit(isDurable = true): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const { inodes, content, numbers, view } = this.#state
    let lost: AteError | undefined
    for (const inode of inodes.dirty) {
      if (inode.pieces === undefined) continue
      try {
        content.flush(inode)
      } catch (cause) {
        // Its extent records are damaged. The others' content must not suffer.
        lost ??= new AteError('INPUT_OUTPUT', 'Written content could not be kept: its records are damaged.', { cause })
        this.#onWarning(`What was last written to inode ${inode.ino} is lost: its records are damaged. Run fsck.`)
      }
    }
    inodes.flush()
    numbers.flush()
    const durable = view.commit({ isDurable })
    this.#track(durable)
    if (lost === undefined) return durable
    const failure = lost
    return durable.then(() => {
      throw failure
    })
  }

  /** As `commit`, and what else a sync waits for. */
  sync(): Promise<void> {
    const durable = this.commit()
    return this.#synced === undefined ? durable : durable.then(this.#synced)
  }

  /** As `commit`, without asking for room beside what is taken: with it the turn would be asked for. */
  commitAskingNothing(): Promise<void> {
    const { content } = this.#state
    content.fillsPages = false
    try {
      return this.commit(false)
    } finally {
      content.fillsPages = true
    }
  }

  /** Undefined when more may be written now; else a promise after which to look again. */
  waitForRoom(): Promise<void> | undefined {
    const { view } = this.#state
    if (view.pendingBytes + view.inFlightBytes <= MAX_UNCOMMITTED_BYTES) return undefined
    if (this.#inFlight.length === 0) void this.commit(false).catch(() => undefined)
    return this.#inFlight[0]
  }

  /** What is in memory is only a part of what was to be changed: none of it is ever committed. */
  giveUp(cause: unknown): void {
    this.#state.view.fail(cause)
    this.#fail(cause)
  }

  #track(durable: Promise<void>): void {
    const settled: Promise<void> = durable.then(
      () => this.#forget(settled),
      (error: unknown) => {
        this.#forget(settled)
        this.#fail(error)
      },
    )
    this.#inFlight.push(settled)
  }

  #forget(settled: Promise<void>): void {
    this.#inFlight = this.#inFlight.filter((commit) => commit !== settled)
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    const reason = cause instanceof Error ? cause.message : 'unknown reason'
    this.#failure = new AteError('WRITE_FAILED', `An earlier commit failed: ${reason}`, { cause })
    this.#onWarning(`A commit failed (${reason}). The file system is read-only now; what was not synced is lost.`)
  }
}

export function readOnlyError(): AteError {
  return new AteError('READ_ONLY', 'The file system is read-only.')
}
