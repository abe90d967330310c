/** Serves chains to whoever connects: keeps and hands on sealed batches, and has no key of any chain. */
import { AteError } from '../engine/error.js'
import { type Connection, systemTimers } from '../wire/index.js'
import { ChainHost } from './chain-host.js'
import { newCounters } from './counters.js'
import { type ChainServerOptions, DEFAULT_LIMITS, type ServerCounts } from './options.js'
import { verifyHere } from '../engine/log/verify-signatures.js'
import { ServerMemory } from './server-memory.js'
import { StorageHealth } from './storage-health.js'
import { ServerSession, type SessionOptions } from './session.js'

export class ChainServer {
  readonly #host: ChainHost
  readonly #options: SessionOptions
  readonly #counters = newCounters()
  readonly #health = new StorageHealth()
  readonly #sessions = new Set<ServerSession>()
  #isClosed = false

  constructor(options: ChainServerOptions) {
    const { crypto, stores, storageSecret, signer, trust, compaction = null } = options
    const { timers = systemTimers, clock = Date.now } = options
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    const onNotice = options.onNotice ?? (() => undefined)
    const { admit = () => undefined, keepsDropped = false, verify = verifyHere } = options
    const counters = this.#counters
    const memory = new ServerMemory(limits, timers)
    this.#host = new ChainHost({
      crypto,
      stores,
      storageSecret,
      signer,
      verify,
      trust,
      timers,
      clock,
      limits,
      keepsDropped,
      counters,
      memory,
      health: this.#health,
      onNotice,
    })
    this.#options = { host: this.#host, memory, signer, compaction, timers, limits, admit }
  }

  /** Serves a connection until it ends. `service` is the first part of the path that was asked for (`db`). */
  accept(connection: Connection, service: string): void {
    if (this.#isClosed) {
      void connection.close(new AteError('CONNECTION_CLOSED', 'The server is stopping.'))
      return
    }
    const session = new ServerSession(this.#options, connection, service)
    this.#sessions.add(session)
    void connection.closed.then(() => this.#sessions.delete(session))
  }

  /** Why the storage takes nothing, by what was tried last. It names no chain. */
  get storageProblem(): string | undefined {
    return this.#health.problem
  }

  /** Somebody else has written to the storage, and could. */
  noteStorageWorks(): void {
    this.#health.mended()
  }

  counts(): ServerCounts {
    let channels = 0
    for (const session of this.#sessions) channels += session.channels
    const { openChains } = this.#host
    return { connections: this.#sessions.size, openChains, channels, ...this.#counters }
  }

  /** Takes no more connections, says goodbye to those there are, and closes all chains, durable. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#host.signAll()
    await Promise.all(Array.from(this.#sessions, ({ peer }) => peer.close()))
    await this.#host.close()
  }
}
