/** Room in the log for what is about to be committed: taken before it is needed, so that writers seldom wait for it. */
import { AteError } from '../error.js'
import type { Committer, WriterStatus } from './committer.js'
import { sealedBytes } from './log-bytes.js'

/** Below this more room is asked for, so that writers need not wait when there is none left: 50 ms of a fast writer. */
const ROOM_AHEAD_BYTES = 24 * 1024 * 1024

export interface LogRoomOptions {
  /** READ_ONLY when there is none. */
  readonly committer: () => Committer
  /** Bytes of changes that have no receipt yet. */
  readonly unwrittenBytes: () => number
  /** Settles with the last commit, whose receipt tells what is left. */
  readonly lastCommit: () => Promise<void>
  /** Throws when nothing is written any more. */
  readonly demandSound: () => void
}

export class LogRoom {
  /** As the last receipt has it. */
  status: WriterStatus
  /** Bytes of the log that a compaction may use. */
  setAside = 0
  readonly #options: LogRoomOptions
  /** Room asked for ahead; settled when it came or was refused. */
  #ahead: Promise<void> = Promise.resolve()
  /** It has not come (yet): a disk that is nearly full is not asked again before it must be. */
  #isMissing = false

  constructor(status: WriterStatus, options: LogRoomOptions) {
    this.status = status
    this.#options = options
  }

  /** Undefined when there is room for so much, else a promise of it. NO_SPACE. `essential`: as for `RecordView.reserve`. */
  reserve(bytes: number, essential: boolean): Promise<void> | undefined {
    if (!this.#has(bytes, essential)) return this.#make(bytes, essential)
    if (!this.#isMissing && !this.#has(ROOM_AHEAD_BYTES, false)) this.#askAhead()
    return undefined
  }

  /** A compaction is over. */
  noteCompacted(status: WriterStatus): void {
    this.setAside = 0
    this.status = status
  }

  #has(bytes: number, essential: boolean): boolean {
    const available = essential ? this.status.availableEssentialBytes : this.status.availableBytes
    return sealedBytes(this.#options.unwrittenBytes() + this.setAside + bytes) <= available
  }

  async #make(bytes: number, essential: boolean): Promise<void> {
    const { committer, lastCommit, demandSound } = this.#options
    committer()
    demandSound()
    await this.#ahead
    if (this.#has(bytes, essential)) return
    // What is under way has its space already, and its receipt tells what is left.
    await lastCommit()
    if (this.#has(bytes, essential)) return
    await this.#take()
    if (this.#has(bytes, essential)) return
    throw new AteError('NO_SPACE', 'there is no space for the log', {
      hint: 'free space on the disk that holds the log',
    })
  }

  #askAhead(): void {
    this.#isMissing = true
    // Whoever needs room then and finds none asks again, and is told why.
    this.#ahead = this.#take().catch(() => undefined)
  }

  async #take(): Promise<void> {
    this.status = await this.#options.committer().makeRoom()
    this.#isMissing = !this.#has(ROOM_AHEAD_BYTES, false)
  }
}
