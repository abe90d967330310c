/**
 * One mount's conversation with the kernel: takes requests, calls the file system, sends replies. Nothing that a request
 * holds and nothing that a handler throws ends it. Knows no descriptor and no loop: `send` writes one reply.
 */
import { AteError, errorCode } from '../../../engine/error.js'
import { ERRNO, Errno } from '../../errno.js'
import type { ChangedElsewhere, FileSystem, Ino } from '../../vfs/types.js'
import type { FileLocks, Others } from '../driver.js'
import { isDying } from './dying-thread.js'
import type { Exchange } from './exchange.js'
import { type HandlerEntry, NO_REPLY, type Result } from './handler.js'
import { ENTRY_OPCODES, HANDLERS } from './handlers.js'
import { releaseListed } from './messages/directories.js'
import { LockOwners } from './lock-owners.js'
import { EPOCH_PROTOCOL_MINOR, InitFlag, Opcode, OPCODE_LIMIT, OUT_HEADER_BYTES } from './protocol.js'
import type { Invalidations } from './invalidations.js'
import type { ShownOwner } from './shown-owner.js'

/**
 * How long the kernel may believe what it was told without asking again. Only through this mount can anything change, and
 * the kernel sees that, or it is told; an hour bounds what a mistake here could cost.
 */
const CACHE_SECONDS = 3600

export interface SessionOptions {
  readOnly: boolean
  shown: ShownOwner
  /**
   * Set: only this user and root are served (allow_root). Then nothing may be answered from the kernel's cache, which
   * does not know the rule: no validity, and every open is asked for.
   */
  onlyUid?: number
  others?: Others | undefined
  /** How the kernel is told to forget something. */
  invalidations?: Pick<Invalidations, 'add' | 'isPending' | 'sent' | 'hasEpoch'>
  onWarning: (message: string) => void
}

function atOnce(): undefined {
  return undefined
}

/** Writes a reply of `length` bytes: negative errno when the kernel did not take it. */
export type Send = (bytes: Uint8Array, length: number) => number

/** By an open file or directory, opened by one who may. */
const BY_HANDLE: ReadonlySet<number> = new Set([
  Opcode.INIT,
  Opcode.READ,
  Opcode.WRITE,
  Opcode.FSYNC,
  Opcode.RELEASE,
  Opcode.READDIR,
  Opcode.READDIRPLUS,
  Opcode.FSYNCDIR,
  Opcode.RELEASEDIR,
  Opcode.FORGET,
  Opcode.BATCH_FORGET,
  Opcode.INTERRUPT,
  Opcode.DESTROY,
])

export class Session {
  readonly fileSystem: FileSystem
  readonly shown: ShownOwner
  readonly cacheSeconds: number
  readonly answersOpen: boolean
  /** Whoever opens something asks others first. */
  readonly asksOthers: boolean
  /** Locks hold beyond this machine. */
  readonly locks: FileLocks | undefined
  readonly lockOwners = new LockOwners()
  /** The file system changes elsewhere too. */
  readonly isShared: boolean
  /** Waits until what others changed is here; undefined when it is. */
  readonly refresh: () => Promise<void> | undefined
  /** Resolves when the kernel and we have agreed on the protocol; false when we have not. */
  readonly ready: Promise<boolean>
  /** Requests taken, by opcode. */
  readonly requestCounts = new Uint32Array(OPCODE_LIMIT)
  hasLongSetxattr = false
  /** Protocol of a kernel that is too old. */
  refusedProtocol: string | undefined

  readonly #readOnly: boolean
  readonly #invalidations: SessionOptions['invalidations']
  /** A promise while it is the turn of others to change anything. */
  readonly #turn: () => Promise<void> | undefined
  readonly #onlyUid: number | undefined
  readonly #onWarning: (message: string) => void
  readonly #send: Send
  readonly #pending = new Map<number, Exchange>()
  #settle: (agreed: boolean) => void = () => undefined

  constructor(fileSystem: FileSystem, options: SessionOptions, send: Send) {
    this.fileSystem = fileSystem
    this.shown = options.shown
    this.#readOnly = options.readOnly
    this.#onlyUid = options.onlyUid
    const { others } = options
    this.isShared = others !== undefined
    this.refresh = others?.kind === 'asked' ? others.refresh : atOnce
    this.#turn = others?.turn ?? atOnce
    this.#invalidations = options.invalidations
    this.asksOthers = others?.kind === 'asked'
    this.locks = others?.kind === 'asked' ? others.locks : undefined
    this.answersOpen = options.onlyUid !== undefined || this.asksOthers
    this.cacheSeconds = this.answersOpen ? 0 : CACHE_SECONDS
    this.#onWarning = options.onWarning
    this.#send = send
    this.ready = new Promise((resolve) => (this.#settle = resolve))
  }

  /**
   * Serves the request of `length` bytes in `x`. Undefined when it is answered and `x` is free again; otherwise a promise
   * of that, which never rejects.
   */
  serve(x: Exchange, length: number): Promise<void> | undefined {
    if (!x.begin(length)) {
      this.#onWarning(`the kernel sent ${length} bytes that are no request`)
      return undefined
    }
    let result: Result | Promise<Result>
    try {
      result = this.#dispatch(x)
    } catch (error) {
      result = this.#failure(x, error)
    }
    if (typeof result === 'number') {
      this.#answer(x, result)
      return undefined
    }
    return this.#answerLater(x, result)
  }

  #dispatch(x: Exchange): Result | Promise<Result> {
    const { opcode } = x
    const entry = HANDLERS[opcode]
    if (entry === undefined) return -Errno.ENOSYS
    this.requestCounts[opcode] = (this.requestCounts[opcode] ?? 0) + 1
    if (x.length < entry.minimumBytes) return -Errno.EINVAL
    if (entry.changes && this.#readOnly) return -Errno.EROFS
    if (this.#onlyUid !== undefined && !this.#maySee(x, this.#onlyUid)) return -Errno.EACCES
    const wait = entry.changes ? this.#turn() : undefined
    return wait === undefined ? entry.handle(this, x) : this.#inTurn(entry, x, wait)
  }

  /** Whoever is being killed need not wait for it. */
  async #inTurn(entry: HandlerEntry, x: Exchange, turn: Promise<void>): Promise<Result> {
    x.isWaiting = true
    try {
      for (let wait: Promise<void> | undefined = turn; wait !== undefined; wait = this.#turn()) await wait
    } catch (error) {
      // Whatever else is wrong the change itself is told.
      const code = errorCode(error)
      if (code === 'READ_ONLY' || code === 'TIMED_OUT') throw error
    } finally {
      x.isWaiting = false
    }
    return x.abandoned ? NO_REPLY : entry.handle(this, x)
  }

  /** For one open file: 0 where nobody asks by which one. */
  newHandle(): number {
    return this.locks === undefined ? 0 : this.lockOwners.newHandle()
  }

  /** LOCK_LOST when somebody here believes to have a lock on the file that he may have no more. */
  demandLocks(ino: Ino): void {
    if (this.locks?.isLost(ino) === true)
      throw new AteError('LOCK_LOST', 'A lock on the file was lost: it must be let go of first.')
  }

  invalidate(changed: ChangedElsewhere): void {
    this.#invalidations?.add(changed)
  }

  /** The kernel may keep what it has cached of a file that is opened. */
  isCacheValid(ino: Ino): boolean {
    return this.#invalidations?.isPending(ino) !== true
  }

  /** Resolves when the kernel knows of all that others changed. */
  async told(): Promise<void> {
    await this.#invalidations?.sent()
  }

  #maySee(x: Exchange, uid: number): boolean {
    return x.caller.uid === uid || x.caller.uid === 0 || BY_HANDLE.has(x.opcode)
  }

  #failure(x: Exchange, error: unknown): Result {
    const code = errorCode(error)
    if (code !== undefined) return -ERRNO[code]
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#onWarning(`unexpected failure of request ${x.opcode}: ${trace.replaceAll(/\s*\n\s*/g, ' | ')}`)
    return -Errno.EIO
  }

  #answer(x: Exchange, result: Result): void {
    if (result === NO_REPLY) return
    const sent = this.#send(x.bytes, x.finish(result))
    if (sent < 0) this.#notTaken(x, result, -sent)
  }

  async #answerLater(x: Exchange, pending: Promise<Result>): Promise<void> {
    const { unique } = x
    this.#pending.set(unique, x)
    let result: Result
    try {
      result = await pending
    } catch (error) {
      result = this.#failure(x, error)
    }
    this.#pending.delete(unique)
    if (x.abandoned) this.#releaseAnswered(x, result)
    else this.#answer(x, result)
  }

  /** ENOENT: the request was aborted meanwhile. ENODEV: unmounted. Anything else is our mistake. */
  #notTaken(x: Exchange, result: Result, errno: number): void {
    this.#releaseAnswered(x, result)
    if (errno !== Errno.ENOENT && errno !== Errno.ENODEV) {
      this.#onWarning(`the kernel refused the reply to request ${x.opcode} with errno ${errno}`)
    }
  }

  /** Undoes the references of a reply that the kernel did not get. */
  #releaseAnswered(x: Exchange, result: Result): void {
    if (result <= OUT_HEADER_BYTES) return
    try {
      if (x.opcode === Opcode.READDIRPLUS) releaseListed(this, x, result)
      else if (ENTRY_OPCODES.has(x.opcode) && x.u64(OUT_HEADER_BYTES) !== 0) {
        this.fileSystem.release(x.u64(OUT_HEADER_BYTES), 1)
      }
    } catch (error) {
      this.#failure(x, error)
    }
  }

  /**
   * Lets the caller of a waiting request go if it is being killed; who waits for a lock, at any signal. A change that was begun is
   * waited for: the kernel must learn of it.
   */
  interrupt(unique: number): void {
    const x = this.#pending.get(unique)
    if (x === undefined || x.abandoned) return
    if (x.onInterrupt !== undefined) {
      x.onInterrupt()
      return
    }
    const isBegun = HANDLERS[x.opcode]?.changes !== false && !x.isWaiting
    if (isBegun || !isDying(x.caller.pid)) return
    x.abandoned = true
    // The exchange's own buffer is in use until its operation ends.
    const header = new DataView(new ArrayBuffer(OUT_HEADER_BYTES))
    header.setUint32(0, OUT_HEADER_BYTES, true)
    header.setInt32(4, -Errno.EINTR, true)
    header.setUint32(8, unique, true)
    header.setUint32(12, Math.floor(unique / 0x1_0000_0000), true)
    this.#send(new Uint8Array(header.buffer), OUT_HEADER_BYTES)
  }

  /** `minor`: of the kernel. */
  initialized(flags: number, minor: number): void {
    if (this.#invalidations !== undefined) this.#invalidations.hasEpoch = minor >= EPOCH_PROTOCOL_MINOR
    this.hasLongSetxattr = (flags & InitFlag.SETXATTR_EXT) !== 0
    this.#settle(true)
  }

  refuseKernel(protocol: string): void {
    this.refusedProtocol = protocol
    this.#settle(false)
  }
}
