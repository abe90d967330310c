/** Reading and writing regular files: bounds, times and privileges around `Content`. */
import { AteError, errorCode, type ErrorCode } from '../../engine/error.js'
import type { AttributeChanges } from './attribute-changes.js'
import { contentDamaged } from './damage-messages.js'
import type { Inode } from './inodes/inode.js'
import type { AccessTimePolicy } from './options.js'
import type { FileSystemState } from './state.js'
import {
  FALLOC_KEEP_SIZE,
  FALLOC_PUNCH_HOLE,
  FALLOC_ZERO_RANGE,
  SEEK_DATA,
  SEEK_HOLE,
  type Answer,
  type Ino,
  type WriteOptions,
} from './types.js'

const DAY_SECONDS = 86_400
const KNOWN_MODES = FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE
/** What reading content fails with when the chain is not whole. */
const DAMAGE: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode>(['BODY_DAMAGED', 'BAD_FORMAT', 'INPUT_OUTPUT'])

export interface FileAccessOptions {
  accessTime: AccessTimePolicy
  onWarning: (message: string) => void
}

export class FileAccess {
  readonly #state: FileSystemState
  readonly #changes: AttributeChanges
  readonly #accessTime: AccessTimePolicy
  readonly #onWarning: (message: string) => void

  constructor(state: FileSystemState, changes: AttributeChanges, { accessTime, onWarning }: FileAccessOptions) {
    this.#state = state
    this.#changes = changes
    this.#accessTime = accessTime
    this.#onWarning = onWarning
  }

  read(ino: Ino, offset: number, length: number, target: Uint8Array, targetStart: number): Answer<number> {
    const inode = this.#state.file(ino)
    const wanted = Math.min(length, inode.size - offset, target.length - targetStart)
    this.accessed(inode)
    if (!(wanted > 0)) return 0
    try {
      const answer = this.#state.content.read(inode, offset, wanted, target, targetStart)
      return typeof answer === 'number' ? answer : answer.catch((error: unknown) => this.#unreadable(ino, error))
    } catch (error) {
      return this.#unreadable(ino, error)
    }
  }

  write(ino: Ino, offset: number, data: Uint8Array, options: WriteOptions): number {
    const inode = this.#state.changeableFile(ino)
    if (data.length === 0) return 0
    const at = options.onAppended === undefined ? offset : inode.size
    checkRange(at, data.length)
    this.#state.content.write(inode, at, data)
    options.onAppended?.(at)
    // First: staged memory must not outlive its transaction, whatever fails now.
    this.#modified(inode)
    if (options.clearPrivileges) this.#changes.clearPrivileges(inode)
    return data.length
  }

  allocate(ino: Ino, mode: number, offset: number, length: number, options: WriteOptions): void {
    const inode = this.#state.changeableFile(ino)
    if ((mode & ~KNOWN_MODES) !== 0) throw new AteError('NOT_SUPPORTED', 'Unknown mode of fallocate.')
    const isPunch = (mode & FALLOC_PUNCH_HOLE) !== 0
    const isZero = (mode & FALLOC_ZERO_RANGE) !== 0
    const keepsSize = (mode & FALLOC_KEEP_SIZE) !== 0
    if (isPunch && (isZero || !keepsSize)) throw new AteError('NOT_SUPPORTED', 'Punching a hole keeps the size.')
    if (length <= 0 || offset < 0) throw new AteError('INVALID', 'Nothing to allocate.')
    checkRange(offset, length)
    const end = offset + length
    // Neither reserves anything: what is not written yet is a hole, which reads as the zeroes it must.
    if (isPunch || isZero) this.#state.content.punch(inode, offset, Math.min(end, inode.size))
    if (!keepsSize && end > inode.size) inode.size = end
    this.#modified(inode)
    if (options.clearPrivileges) this.#changes.clearPrivileges(inode)
  }

  seek(ino: Ino, offset: number, whence: number): number {
    const inode = this.#state.file(ino)
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) throw new AteError('INVALID', 'Only data and holes are sought.')
    const beyond = (): AteError => new AteError('NO_DATA_BEYOND', 'The file ends before.')
    if (!(offset >= 0 && offset < inode.size)) throw beyond()
    if (whence === SEEK_HOLE) return this.#state.content.nextHole(inode, offset)
    const data = this.#state.content.nextData(inode, offset)
    if (data === undefined || data >= inode.size) throw beyond()
    return data
  }

  /** Something was read: what that does to the access time depends on the mount (mount(8), relatime). */
  accessed(inode: Inode): void {
    if (this.#accessTime === 'noatime') return
    const { clock } = this.#state
    clock.tick()
    if (this.#accessTime === 'relatime') {
      const { atimeSec, atimeNsec, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec } = inode
      const isAfterModified = atimeSec > mtimeSec || (atimeSec === mtimeSec && atimeNsec > mtimeNsec)
      const isAfterChanged = atimeSec > ctimeSec || (atimeSec === ctimeSec && atimeNsec > ctimeNsec)
      if (isAfterModified && isAfterChanged && clock.sec - atimeSec < DAY_SECONDS) return
    }
    inode.setAccessed(clock)
    inode.isAtimeDirty = true
  }

  /** The reader gets an I/O error, which says nothing of why: the log does. */
  #unreadable(ino: Ino, error: unknown): never {
    if (DAMAGE.has(errorCode(error))) this.#onWarning(contentDamaged(ino))
    throw error
  }

  #modified(inode: Inode): void {
    inode.setModified(this.#state.clock)
    this.#state.inodes.markDirty(inode)
  }
}

function checkRange(offset: number, length: number): void {
  if (!Number.isSafeInteger(offset + length) || offset < 0) {
    throw new AteError('FILE_TOO_LARGE', 'A file has at most 2^53 - 1 bytes.')
  }
}
