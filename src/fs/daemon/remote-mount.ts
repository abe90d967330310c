/**
 * The copy of a chain that a server keeps, behind a mount: brought up to date, followed, and changed in turn. When others went on
 * while it was changed without the server, it is cut back, exchanged under the mount, and what was made here is merged into it.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChainHandle, ChainIdentity, ChainSecret, KeyBits } from '../../adapters/node/chain-handle.js'
import { markIndexUnjudged } from '../../adapters/node/index-directory.js'
import { openIdentity } from '../../adapters/node/chain-secret.js'
import { FileStorage } from '../../adapters/node/file-storage.js'
import type { BatchReceiver } from '../../adapters/node/import-range.js'
import { makeDirectory } from '../../adapters/node/make-directory.js'
import { nativeCrypto } from '../../adapters/node/native-crypto.js'
import { remoteStateFile } from '../../adapters/node/remote-state-file.js'
import {
  Diverged,
  inTime,
  isPassing,
  isSyncMode,
  readClientState,
  RemoteLocks,
  type RemoteStatus,
} from '../../client/index.js'
import { wipe } from '../../engine/crypto/wipe.js'
import { cutCopyBack, cuttingBack, prepareCopy, SERVER_TIMEOUT_MS } from '../../library/served-copy.js'
import { redirected } from '../../library/redirected.js'
import { linkTo, type ServerLink } from '../../library/server-link.js'
import { type ChainAddress, parseChainUrl, systemTimers } from '../../wire/index.js'
import type { Others } from '../drivers/driver.js'
import { ReferenceCounts } from '../vfs/inodes/reference-counts.js'
import { inodesMadeIn } from '../vfs/merge/tail.js'
import { ExchangeableFileSystem } from './exchangeable-file-system.js'
import type { OpenedFileSystem, Sharing } from './opened-file-system.js'
import { joinTrust } from './join-trust.js'
import { JUDGE_MODULE } from './judge-module.js'
import { mergeTails } from './merge-tails.js'
import { MountLocks } from './mount-locks.js'
import type { RemoteRequest } from './remote-request.js'
import { type ReplicaOptions, ServedReplica } from './served-replica.js'
import { type SetAsideTail, setAsideTails, type TailPlaces } from './set-aside-tails.js'
import { takeRecords } from './shared-receiver.js'

/** So long after an attempt that failed the copy is opened again. */
const RETRY_MS = 1000
/** A server that was started again waits 10 seconds for who has locks: so often it is tried at least. */
const LOCKS_RETRY_MS = 4000

export interface OpenRemoteMount extends Omit<ReplicaOptions, 'onFailure' | 'locks'> {
  readonly remote: RemoteRequest
  readonly directory: string
  readonly secret: ChainSecret
  readonly keyBits: KeyBits
  /** Opens the copy, which is there. */
  readonly openChain: (secret: ChainSecret) => Promise<ChainHandle>
  /** Opens another one, only to read it. */
  readonly openAt: (directory: string, secret: ChainSecret) => Promise<ChainHandle>
}

/** What opens the copy again, from the first time on. */
type Reopening = OpenRemoteMount & { identity: ChainIdentity | undefined; locks: RemoteLocks }

export type OpenFileSystemOn = (chain: ChainHandle, sharing: Sharing) => Promise<OpenedFileSystem>

/** A copy that is open, and what of it was set aside. */
interface Opened {
  readonly replica: ServedReplica
  readonly tails: readonly SetAsideTail[]
  readonly writer: number
}

export class RemoteMount {
  readonly others: Others
  /** Those that hold on all machines, where the recovery mode has such. */
  readonly locks: MountLocks
  readonly #wanted: Reopening
  readonly #server: ServerLink
  readonly #isStrict: boolean
  readonly #references = new ReferenceCounts()
  readonly #abandoned = new AbortController()
  #mergeEnds = new AbortController()
  #opened: Opened
  #fileSystem: ExchangeableFileSystem | undefined
  #openFileSystem: OpenFileSystemOn | undefined
  #merging: Promise<void> = Promise.resolve()

  private constructor(wanted: Reopening, server: ServerLink, opened: Opened) {
    this.#wanted = wanted
    this.#server = server
    this.#opened = opened
    this.#isStrict = isSyncMode(wanted.remote.recoveryMode)
    const { locks } = wanted
    const everything = (): Promise<void> => this.#refresh()
    this.locks = new MountLocks({ locks, keys: opened.replica.chain.source.keys, refresh: everything })
    const refresh = (): Promise<void> | undefined =>
      this.#opened.replica.remote.isCurrent() ? undefined : everything()
    const turn = (): Promise<void> | undefined => {
      const { replica } = this.#opened
      return replica.remote.acquire()?.catch((error: unknown) => this.#exchanged(replica, error))
    }
    this.others = this.#isStrict ? { kind: 'asked', refresh, locks: this.locks, turn } : { kind: 'pushed', turn }
  }

  /**
   * Resolves when everything is here that the server has, or a copy is that will do while it is away. What was changed here and
   * others did not wait for is set aside first.
   */
  static async open(given: OpenRemoteMount): Promise<RemoteMount> {
    return await redirected(parseChainUrl(given.remote.url), (at) => RemoteMount.openAt(given, at))
  }

  /** For `open` alone. */
  static async openAt(given: OpenRemoteMount, at: ChainAddress): Promise<RemoteMount> {
    const made: { mount?: RemoteMount } = {}
    const locks = new RemoteLocks({
      brought: async () => made.mount?.brought(),
      onLost: (files) => made.mount?.locks.lost(files),
    })
    const wanted: Reopening = { ...given, identity: undefined, locks }
    const { serverKey, dnsServer, dnsSec, knownServers, wire } = given.remote
    const options = {
      knownServers,
      ...wire,
      ...(serverKey === undefined ? {} : { serverKey }),
      ...(dnsServer === undefined ? {} : { dnsServer }),
      ...(dnsSec === undefined ? {} : { dnsSec }),
    }
    const backoff = isSyncMode(given.remote.recoveryMode) ? { maxMs: LOCKS_RETRY_MS } : {}
    const server = linkTo(at, options, backoff)
    const diverged = (error: Diverged, replica: ServedReplica): void => made.mount?.exchange(error, replica)
    try {
      const open = async (): Promise<Opened> => {
        const opened = await openOnce(wanted, server, diverged)
        await startOn(opened, () => opened.replica.start())
        return opened
      }
      made.mount = new RemoteMount(wanted, server, await cuttingBack(open, (sequence) => cutBack(wanted, sequence)))
      return made.mount
    } catch (error) {
      await server.link.close()
      throw error
    }
  }

  /** Resolves when all that was changed here is on its way to the server. TIMED_OUT. */
  async brought(): Promise<void> {
    await this.#fileSystem?.exchanged()
    await this.#merged()
    await this.#opened.replica.remote.brought()
  }

  /** The copy that is open now. */
  get chain(): ChainHandle {
    return this.#opened.replica.chain
  }

  /** Of a chain that has none yet it is made, in turn. What was set aside is merged into it, in the background if that takes long. */
  async openFileSystem(open: OpenFileSystemOn, readOnly: boolean): Promise<OpenedFileSystem> {
    const { replica } = this.#opened
    const current = await replica.openFileSystem(() => open(replica.chain, this.#sharing(this.#opened)), readOnly)
    this.#openFileSystem = open
    this.#fileSystem = new ExchangeableFileSystem(current, this.#references, () => this.#endMerging())
    this.#exchangeDiverged()
    if (!readOnly) await this.#merge(this.#opened, current)
    return this.#fileSystem
  }

  status(): RemoteStatus {
    return this.#opened.replica.remote.status()
  }

  /** For who is told that the copy is of no use any more. */
  exchange(error: Diverged, replica: ServedReplica): void {
    const [fileSystem, open] = [this.#fileSystem, this.#openFileSystem]
    // One that is being opened is cut back there.
    if (replica !== this.#opened.replica) return
    if (fileSystem === undefined || open === undefined || this.#abandoned.signal.aborted) return
    const next = (before: OpenedFileSystem): Promise<OpenedFileSystem> => this.#exchange(error, before, open)
    void fileSystem.exchange(next).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      this.#wanted.onNotice(`${this.#wanted.remote.url}: ${why}`)
    })
  }

  /** Brings the server what it lacks, for a bounded time, and lets go of it and of the chain. */
  async close(): Promise<void> {
    await this.#endMerging()
    try {
      await this.#opened.replica.close()
      this.#wanted.locks.close()
    } finally {
      for (const tail of this.#opened.tails) await tail.close({ isMerged: false })
      if (this.#wanted.identity !== undefined) wipe(this.#wanted.identity.rootKey)
      await this.#server.link.close()
    }
  }

  async #endMerging(): Promise<void> {
    this.#abandoned.abort()
    await this.#merging
  }

  /** What was set aside is in the file system, or kept for the next mount. TIMED_OUT. */
  #merged(): Promise<void> {
    return inTime(systemTimers, SERVER_TIMEOUT_MS, this.#merging)
  }

  /** What others had committed is in the copy that is open then. */
  async #refresh(): Promise<void> {
    for (;;) {
      await this.#fileSystem?.exchanged()
      const { replica } = this.#opened
      try {
        await replica.remote.refresh({ everything: true })
        return
      } catch (error) {
        await this.#exchanged(replica, error)
      }
    }
  }

  /** What a copy has refused may be asked of the next one. Throws what it was where there is none. */
  async #exchanged(replica: ServedReplica, error: unknown): Promise<void> {
    if (this.#fileSystem?.isExchanging !== true && replica === this.#opened.replica) throw error
    await this.#fileSystem?.exchanged()
  }

  /** It may have been told before this was ready for it. */
  #exchangeDiverged(): void {
    const { replica } = this.#opened
    if (replica.divergence !== undefined) this.exchange(replica.divergence, replica)
  }

  async #exchange(error: Diverged, before: OpenedFileSystem, open: OpenFileSystemOn): Promise<OpenedFileSystem> {
    this.#mergeEnds.abort()
    await before.close()
    await this.#opened.replica.close()
    // It uses what is opened again.
    await this.#merging
    const cut = (sequence: number): Promise<void> => cutBack(this.#wanted, sequence)
    await cut(error.sequence)
    const openAgain = (): Promise<[Opened, OpenedFileSystem]> => this.#openAgain(open)
    const { signal } = this.#abandoned
    const [opened, fileSystem] = await untilItPasses(() => cuttingBack(openAgain, cut), signal)
    this.#opened = opened
    this.#exchangeDiverged()
    for (const { tail } of opened.tails) this.#fileSystem?.markStale(inodesMadeIn(tail))
    await this.#merge(opened, fileSystem)
    return fileSystem
  }

  /** The file system is there before anything is taken in, so that the kernel is told of it. */
  async #openAgain(open: OpenFileSystemOn): Promise<[Opened, OpenedFileSystem]> {
    const opened = await openOnce(this.#wanted, this.#server, (error, its) => this.exchange(error, its))
    const { replica } = opened
    const openOn = async (): Promise<OpenedFileSystem> => {
      const fileSystem = await open(replica.chain, this.#sharing(opened))
      // Told from now on: what it changes is what the kernel must forget.
      fileSystem.onChangedElsewhere = this.#fileSystem?.onChangedElsewhere ?? (() => undefined)
      return fileSystem
    }
    return startOn(opened, async () => {
      if (!replica.hasFileSystem) {
        await replica.start()
        return [opened, await replica.openFileSystem(openOn, false)]
      }
      const opening = replica.openFileSystem(openOn, false)
      const [started] = await Promise.allSettled([replica.start(), opening])
      const fileSystem = await opening
      if (started.status === 'fulfilled') return [opened, fileSystem]
      await fileSystem.close().catch(() => undefined)
      throw started.reason
    })
  }

  #sharing({ replica, writer }: Opened): Sharing {
    // What a sync waits for besides the medium.
    const synced = async (): Promise<void> => {
      if (!this.#isStrict) return
      await this.#merged()
      await replica.remote.accepted()
    }
    return { writer, writers: replica.writers, synced, references: this.#references }
  }

  /** Resolves when it is done, or goes on in the background. */
  async #merge({ tails }: Opened, fileSystem: OpenedFileSystem): Promise<void> {
    if (tails.length === 0) return
    const { onNotice, remote } = this.#wanted
    this.#mergeEnds = new AbortController()
    const signal = AbortSignal.any([this.#abandoned.signal, this.#mergeEnds.signal])
    const say = (message: string): void => onNotice(`${remote.url}: ${message}`)
    const onMerged = (kept: Iterable<number>): void => this.#fileSystem?.unmarkStale(kept)
    const { soon, done } = mergeTails({ tails, fileSystem, signal, say, onMerged })
    this.#merging = done
    await soon
  }
}

/** A server that is away is waited for. */
async function untilItPasses<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!isPassing(error)) throw error
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) throw error
    }
  }
}

/** Whatever fails, it is closed then. */
async function startOn<T>(opened: Opened, start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    for (const tail of opened.tails) await tail.close({ isMerged: false })
    await opened.replica.close()
    throw error
  }
}

async function openOnce(
  wanted: Reopening,
  server: ServerLink,
  diverged: (error: Diverged, replica: ServedReplica) => void,
): Promise<Opened> {
  const { remote, directory, openChain, onNotice } = wanted
  makeDirectory(directory, 0o700)
  const storage = new FileStorage(directory)
  const known = await readClientState(nativeCrypto, remoteStateFile(directory, storage), remote.url)
  const { chain: name } = parseChainUrl(remote.url)
  await prepareCopy(directory, {
    storage,
    link: server.link,
    isOwner: server.isOwner,
    chain: name,
    onCreated: () => onNotice(`Created a new, empty chain at ${remote.url}`),
    secret: wanted.secret,
    keyBits: wanted.keyBits,
    noCreate: remote.noCreate,
    wasServed: known.server.sequence > 0,
    mayBeAway: remote.recoveryMode !== 'sync',
  })
  wanted.identity ??= await openIdentity(storage, wanted.secret)
  const secret = secretOf(wanted)
  const chain = await openChain(secret)
  try {
    if (wanted.onlyFetches === true && chain.trust === 'distributed') markIndexUnjudged(join(directory, 'index'))
    const copies: ChainHandle[] = []
    const onOpened = (copy: ChainHandle): void => void copies.push(copy)
    const tails = await setAsideTails({ ...tailPlaces(wanted), onOpened }, chain)
    const onFailure = (error: Error): void => {
      onNotice(`${remote.url}: ${error.message}`)
      if (!(error instanceof Diverged)) return
      replica.divergence = error
      diverged(error, replica)
    }
    const replica: ServedReplica = new ServedReplica({ ...wanted, onFailure }, server.link, chain, known)
    if (wanted.isLazy === true) for (const copy of copies) replica.remote.fetchFor(copy)
    return { replica, tails, writer: writerOf(known.session) }
  } catch (error) {
    await chain.close()
    throw error
  }
}

/** Others went on from `sequence` while this copy was changed without the server: what is behind it here is set aside. */
async function cutBack(wanted: Reopening, sequence: number): Promise<void> {
  const { remote, openChain, onNotice } = wanted
  const open = (): Promise<ChainHandle> => openChain(secretOf(wanted))
  const places = { ...tailPlaces(wanted), url: remote.url, open, onNotice, keepsBefore: true }
  await cutCopyBack(places, sequence)
}

function tailPlaces(wanted: Reopening): TailPlaces {
  const { directory, onNotice } = wanted
  const secret = secretOf(wanted)
  const openAt = (path: string): Promise<ChainHandle> => wanted.openAt(path, secret)
  const receiver = (chain: ChainHandle): BatchReceiver => receiverOf(wanted, chain)
  return { directory, secret, judgeModule: JUDGE_MODULE, receiverOf: receiver, openAt, onNotice }
}

/** What was given to open it is gone when it has been opened. */
function secretOf({ identity, secret }: Reopening): ChainSecret {
  return identity === undefined ? secret : { kind: 'identity', identity }
}

function receiverOf({ onlyFetches }: Reopening, chain: ChainHandle): BatchReceiver {
  if (onlyFetches !== true) joinTrust(chain)
  return {
    receive: (run, { isDurable, mayMiss }) => takeRecords(chain.view, run, { isDurable, mayMiss }),
    close: () => chain.close(),
  }
}

/** 48 bits of what tells this copy from all others; never 0. */
function writerOf(session: Uint8Array): number {
  return session.subarray(0, 6).reduce((number, byte) => number * 256 + byte, 0) || 1
}
