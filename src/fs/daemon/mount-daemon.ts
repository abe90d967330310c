/**
 * One mount from beginning to end: chain, file system, driver, in this order, and back in the other. Whoever ends the mount
 * (a request, a signal, umount(8)), everything answered is committed before the chain is closed and the daemon ends.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FileSystem } from '../vfs/types.js'
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
import { markEnded, registerMount, socketOf, unregisterMount } from './registry.js'
import { verifyMount } from './verify-mount.js'

/** A file system that has a last commit to do. */
export interface OpenedFileSystem extends FileSystem {
  /** Changes that are not in the view's current transaction yet. */
  readonly dirtyBytes: number
  /** Commits everything and stops its timers. Rejects with WRITE_FAILED. */
  close(): Promise<void>
}

/** The pieces a mount is made of (`mount-parts.ts` has the real ones). */
export interface MountParts {
  openChain: OpenChain
  createChain: CreateChain
  openFileSystem(chain: ChainHandle, onWarning: (message: string) => void): Promise<OpenedFileSystem>
  driver: Driver
}

export interface MountEvents extends Pick<OpenChainOptions, 'onProgress' | 'onNotice'> {
  /** An unexpected failure that the mount survives. */
  onWarning: (message: string) => void
}

/** What is durable when a mount has ended. */
export interface MountEnd {
  durableSequence: number
}

/** What users of a mount that is ended by force have to finish what they are in. */
const FORCED_END_MS = 2000

export class MountDaemon {
  readonly #request: MountRequest
  readonly #chain: ChainHandle
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

  private constructor(request: MountRequest, chain: ChainHandle, fileSystem: OpenedFileSystem, driver: MountedDriver) {
    this.#request = request
    this.#chain = chain
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
      const fileSystem = await parts.openFileSystem(chain, events.onWarning)
      open.unshift(fileSystem)
      const { mountpoint, driverOptions } = request
      const { readOnly } = chain.view
      const options = { mountpoint, subtype: 'atefs', ...driverOptions, readOnly, onWarning: events.onWarning }
      const daemon = new MountDaemon(request, chain, fileSystem, await parts.driver(fileSystem, options))
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
    if (plan === undefined || this.#state !== 'mounted') return
    this.#compactions = new CompactionSchedule({
      chain: this.#chain,
      plan,
      holeBytes: holeBytes(directory),
      onCompacted: ({ bodies, freedBytes }) =>
        say(`compacted: ${bodies} bodies dropped, ${freedBytes} bytes given back`),
      onFailure: say,
    })
    this.#compactions.start()
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
      readOnly: this.#chain.view.readOnly,
      temporary: temporaryDirectory !== undefined,
      mountedAtMs: this.#mountedAtMs,
      ...status,
      dirtyBytes: pendingBytes + this.#fileSystem.dirtyBytes,
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
    this.#compactions?.stop()
    try {
      await this.#fileSystem.close()
    } finally {
      try {
        await this.#chain.close()
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
    return { durableSequence }
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

async function openChain(
  request: MountRequest,
  secret: ChainSecret,
  parts: MountParts,
  events: MountEvents,
): Promise<ChainHandle> {
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
    onProgress,
    onNotice,
  }
  const open = (): Promise<ChainHandle> =>
    create ? parts.createChain({ ...options, keyBits: keyBits ?? DEFAULT_KEY_BITS }) : parts.openChain(options)
  const chain = await openWhenFree(open, { directory, runtimeDirectory, onNotice })
  const actualKeyBits = chain.status().keyBits
  if (keyBits === undefined || keyBits === actualKeyBits) return chain
  await chain.close()
  throw new AteError('BAD_ARGUMENT', `the chain was made with keys of ${actualKeyBits} bits, not ${keyBits}`, {
    hint: 'The size of keys is chosen when a chain is made: leave --key-size out.',
  })
}
