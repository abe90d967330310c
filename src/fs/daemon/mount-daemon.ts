/**
 * One mount from beginning to end: chain, file system, driver, in this order, and back in the other. Whoever ends the mount
 * (a request, a signal, umount(8)), everything answered is committed before the chain is closed and the daemon ends.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Driver, MountedDriver } from '../drivers/driver.js'
import { AteError, isAteError } from '../../engine/error.js'
import type {
  ChainHandle,
  ChainSecret,
  CreateChain,
  OpenChain,
  OpenChainOptions,
} from '../../adapters/node/chain-handle.js'
import { CompactionSchedule } from '../../adapters/node/compaction-schedule.js'
import { holeBytes } from '../../adapters/node/hole-bytes.js'
import { ControlServer } from './control-server.js'
import { openWhenFree } from './lock-wait.js'
import type { MountRequest } from './mount-request.js'
import type { MountStatus } from './mount-status.js'
import type { OpenedFileSystem, Sharing } from './opened-file-system.js'
import { JUDGE_MODULE } from './judge-module.js'
import type { RemoteMount } from './remote-mount.js'
import { markEnded, registerMount, socketOf, unregisterMount } from './registry.js'
import { verifyMount } from './verify-mount.js'

/** The pieces a mount is made of (`mount-parts.ts` has the real ones). */
export interface MountParts {
  openChain: OpenChain
  createChain: CreateChain
  openFileSystem(chain: ChainHandle, onWarning: (message: string) => void, sharing?: Sharing): Promise<OpenedFileSystem>
  driver: Driver
}

export interface MountEvents extends Pick<OpenChainOptions, 'onProgress' | 'onNotice'> {
  /** An unexpected failure that the mount survives. */
  onWarning: (message: string) => void
}

/** What is durable when a mount has ended. */
export interface MountEnd {
  durableSequence: number
  /** Batches that are on the medium here, and not at the server yet. Absent: the chain has none. */
  unsentBatches?: number
}

/** What users of a mount that is ended by force have to finish what they are in. */
const FORCED_END_MS = 2000

export class MountDaemon {
  readonly #request: MountRequest
  readonly #opened: OpenedChain
  readonly #fileSystem: OpenedFileSystem
  readonly #driver: MountedDriver
  readonly #mountedAtMs = Date.now()
  readonly #abandoned = new AbortController()
  #compactions: CompactionSchedule | undefined
  #control: ControlServer | undefined
  #goodbye: Promise<void> | undefined
  #state: MountStatus['state'] = 'mounted'
  /** Somebody waits to be told of the end. */
  #isAskedToEnd = false
  /** Resolves when all is durable and the chain is closed. Rejects with WRITE_FAILED. */
  readonly ended: Promise<MountEnd>

  private constructor(request: MountRequest, chain: OpenedChain, fileSystem: OpenedFileSystem, driver: MountedDriver) {
    this.#request = request
    this.#opened = chain
    this.#fileSystem = fileSystem
    this.#driver = driver
    const abandoned = new Promise<void>((resolve) => this.#abandoned.signal.addEventListener('abort', () => resolve()))
    this.ended = Promise.race([driver.ended, abandoned]).then(() => this.#finish())
    // Who waits for the end sees a failure of it; until somebody does, it must not take the process down.
    this.ended.catch(() => undefined)
  }

  /** Resolves once the mount answers. Whatever fails, nothing is left mounted or open. */
  static async start(
    request: MountRequest,
    secret: ChainSecret,
    parts: MountParts,
    events: MountEvents,
  ): Promise<MountDaemon> {
    const open: { close(): Promise<unknown> }[] = []
    try {
      const chain = await openChain(request, secret, parts, events)
      open.unshift(chain)
      const fileSystem = await openFileSystem(request, chain, parts, events)
      open.unshift(fileSystem)
      const { mountpoint, driverOptions } = request
      const rights = { readOnly: isReadOnly(request, chain.handle), others: chain.remote?.others }
      const options = { mountpoint, subtype: 'atefs', ...driverOptions, ...rights, onWarning: events.onWarning }
      const driver = await parts.driver(fileSystem, options)
      fileSystem.onChangedElsewhere = (changed) => driver.invalidate(changed)
      if (chain.remote !== undefined) chain.remote.locks.onLost = (changed) => driver.invalidate(changed)
      const daemon = new MountDaemon(request, chain, fileSystem, driver)
      open.splice(0, open.length, { close: () => daemon.forceEnd() })
      await daemon.#announce()
      daemon.#compactWhenDue(events.onWarning)
      return daemon
    } catch (error) {
      for (const part of open) await part.close().catch(() => undefined)
      removeTemporary(request)
      throw fullDiskOf(error) ?? error
    }
  }

  async #announce(): Promise<void> {
    const { runtimeDirectory, mountpoint, directory, temporaryDirectory } = this.#request
    await verifyMount(mountpoint)
    const control = await ControlServer.start(socketOf(runtimeDirectory, process.pid), {
      status: () => this.status(),
      unmount: () => this.unmount(),
    })
    // Unmounted before it was told of: `#finish` may be over, and would close nothing.
    if (this.#state !== 'mounted') {
      this.#goodbye = control.close()
      return
    }
    this.#control = control
    registerMount(runtimeDirectory, { mountpoint, directory, temporaryDirectory })
  }

  #compactWhenDue(say: (message: string) => void): void {
    const { compaction: plan, directory } = this.#request
    if (plan === undefined || this.#state !== 'mounted' || isReadOnly(this.#request, this.#chain)) return
    this.#compactions = new CompactionSchedule({
      chain: {
        view: this.#chain.view,
        status: () => this.#chain.status(),
        compact: () => this.#chain.compact(),
      },
      plan,
      ofServer: this.#opened.remote === undefined ? undefined : () => this.#remote?.status().compaction,
      holeBytes: holeBytes(directory),
      mayCompact: () => this.#remote?.status().hasTurn !== false,
      onCompacted: ({ bodies, freedBytes }) =>
        say(`compacted: ${bodies} bodies dropped, ${freedBytes} bytes given back`),
      onFailure: say,
    })
    this.#compactions.start()
  }

  /** The one that is open now. */
  get #chain(): ChainHandle {
    return this.#opened.remote?.chain ?? this.#opened.handle
  }

  get #remote(): RemoteMount | undefined {
    return this.#opened.remote
  }

  status(): MountStatus {
    const { mountpoint, chain, directory, temporaryDirectory } = this.#request
    const { pendingBytes, ...status } = this.#chain.status()
    return {
      pid: process.pid,
      state: this.#state,
      mountpoint,
      driver: this.#driver.name,
      chain,
      directory,
      readOnly: isReadOnly(this.#request, this.#chain),
      temporary: temporaryDirectory !== undefined,
      mountedAtMs: this.#mountedAtMs,
      ...status,
      dirtyBytes: pendingBytes + this.#fileSystem.dirtyBytes,
      ...this.#serverStatus(),
    }
  }

  #serverStatus(): Partial<MountStatus> {
    if (this.#remote === undefined) return {}
    const { isConnected, hasTurn, headSequence, serverSequence, problem, recoveryMode } = this.#remote.status()
    return {
      server: this.#request.remote?.url,
      recoveryMode,
      connected: isConnected,
      hasTurn,
      unsentBatches: headSequence - serverSequence,
      ...(problem === undefined ? {} : { serverProblem: problem.message }),
    }
  }

  /** Fails with MOUNTPOINT_BUSY (everything is as before, but committed) or WRITE_FAILED. */
  async unmount(): Promise<MountEnd> {
    this.#isAskedToEnd = true
    if (this.#state === 'mounted') {
      // Most of the waiting happens while the mount still works. A failure here comes again, and is told, at the end.
      await this.#fileSystem.sync().catch(() => undefined)
      await this.#driver.unmount()
    }
    return this.ended
  }

  /** Ends whoever uses the mount: it disappears at once, and what is still open fails after a moment. */
  async forceEnd(): Promise<MountEnd> {
    const detached = this.#driver.unmount({ lazy: true }).catch(() => undefined)
    await Promise.race([detached, sleep(FORCED_END_MS)])
    this.#abandoned.abort()
    return this.ended
  }

  /** After `ended`: resolves when those who asked for the end know of it, and the process may exit. */
  async goodbye(): Promise<void> {
    await this.#goodbye
  }

  async #finish(): Promise<MountEnd> {
    this.#state = 'unmounting'
    this.#fileSystem.onChangedElsewhere = () => undefined
    this.#compactions?.stop()
    try {
      await this.#fileSystem.close()
    } finally {
      try {
        await (this.#remote ?? this.#chain).close()
      } finally {
        // Not waited for here: one of the answers on their way is that of who asked for this end.
        this.#goodbye = this.#control?.close()
        removeTemporary(this.#request)
        unregisterMount(this.#request.runtimeDirectory)
      }
    }
    const { durableSequence } = this.#chain.status()
    const { runtimeDirectory, mountpoint, directory, temporaryDirectory } = this.#request
    if (!this.#isAskedToEnd && this.#goodbye !== undefined)
      markEnded(runtimeDirectory, { mountpoint, directory, temporaryDirectory }, durableSequence)
    const { unsentBatches } = this.#serverStatus()
    return { durableSequence, ...(unsentBatches === undefined ? {} : { unsentBatches }) }
  }
}

/** Before the mount works nobody but who mounts is to be told, and a full disk says more than a commit that failed. */
function fullDiskOf(error: unknown): AteError | undefined {
  if (!isAteError(error)) return undefined
  return error.code === 'NO_SPACE' ? error : fullDiskOf(error.cause)
}

function removeTemporary(request: MountRequest): void {
  if (request.temporaryDirectory !== undefined) rmSync(request.temporaryDirectory, { recursive: true, force: true })
}

const DEFAULT_KEY_BITS = 256
/** For the thread that compacts. */
const REFERENCES_MODULE = new URL('../vfs/records/references.js', import.meta.url).href

/** A chain of this machine, or the copy of one of a server. */
interface OpenedChain {
  handle: ChainHandle
  remote: RemoteMount | undefined
  close(): Promise<void>
}

function isReadOnly({ readOnly }: MountRequest, { view }: ChainHandle): boolean {
  return readOnly || view.readOnly
}

async function openFileSystem(
  request: MountRequest,
  { handle, remote }: OpenedChain,
  parts: MountParts,
  { onWarning }: MountEvents,
): Promise<OpenedFileSystem> {
  if (remote === undefined) return parts.openFileSystem(handle, onWarning)
  const open = (chain: ChainHandle, sharing: Sharing): Promise<OpenedFileSystem> =>
    parts.openFileSystem(chain, onWarning, sharing)
  return remote.openFileSystem(open, request.readOnly)
}

async function openChain(
  request: MountRequest,
  secret: ChainSecret,
  parts: MountParts,
  events: MountEvents,
): Promise<OpenedChain> {
  const { directory, anchorDirectory, create, keyBits, runtimeDirectory, readOnly, allowDamage, acceptRollback } =
    request
  const { onProgress, onNotice } = events
  const options: OpenChainOptions = {
    directory,
    secret,
    anchorDirectory,
    readOnly: readOnly || allowDamage,
    allowDamage,
    acceptRollback,
    ...(request.compaction === undefined ? {} : { referencesModule: REFERENCES_MODULE }),
    judgeModule: JUDGE_MODULE,
    onRefused: ({ sequence, error }) => events.onWarning(`Batch ${sequence} does not count: ${error.message}`),
    onProgress,
    onNotice,
  }
  const open = (): Promise<ChainHandle> =>
    create ? parts.createChain({ ...options, keyBits: keyBits ?? DEFAULT_KEY_BITS }) : parts.openChain(options)
  const wait = { directory, runtimeDirectory, onNotice }
  const { remote } = request
  if (remote !== undefined) {
    const openCopy = (opening: ChainSecret): Promise<ChainHandle> =>
      parts.openChain({ ...options, secret: opening, readOnly: false, isServed: true })
    const bits = keyBits ?? DEFAULT_KEY_BITS
    // Who mounts is told what comes before, and the log has all of it.
    const say = (message: string): void => {
      onNotice(message)
      events.onWarning(message)
    }
    const openAt = (path: string, opening: ChainSecret): Promise<ChainHandle> =>
      parts.openChain({ ...onlyReading(options, path), secret: opening, isServed: true })
    // What is kept for the time of the mount only need not be here before it is read.
    const isLazy = request.temporaryDirectory !== undefined
    const places = { remote, directory, secret, keyBits: bits, isLazy }
    const wanted = { ...places, openChain: openCopy, openAt, onProgress, onNotice: say }
    // The client of servers is half of the program: loaded only for those who use it.
    const { RemoteMount } = await import('./remote-mount.js')
    const mount = await openWhenFree(() => RemoteMount.open(wanted), wait)
    return { handle: mount.chain, remote: mount, close: () => mount.close() }
  }
  const chain = await openWhenFree(open, wait)
  const actualKeyBits = chain.status().keyBits
  if (keyBits === undefined || keyBits === actualKeyBits)
    return { handle: chain, remote: undefined, close: () => chain.close() }
  await chain.close()
  throw new AteError('BAD_ARGUMENT', `the chain was made with keys of ${actualKeyBits} bits, not ${keyBits}`, {
    hint: 'The size of keys is chosen when a chain is made: leave --key-size out.',
  })
}

function onlyReading(options: OpenChainOptions, directory: string): OpenChainOptions {
  return { ...options, directory, readOnly: true, anchorDirectory: undefined, onNotice: () => undefined }
}
