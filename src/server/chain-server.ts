/** Serves chains to whoever connects: keeps and hands on sealed batches, and has no key of any chain. */
import { AteError } from '../engine/error.js'
import { Peer } from '../sync/index.js'
import type { Connection } from '../wire/index.js'
import type { ChainServerOptions, ServerCounts } from './options.js'

export class ChainServer {
  readonly #options: ChainServerOptions
  /** And the service that each asked for. */
  readonly #peers = new Map<Peer, string>()
  #isClosed = false

  constructor(options: ChainServerOptions) {
    this.#options = options
  }

  /** Serves a connection until it ends. `service` is the first part of the path that was asked for (`db`). */
  accept(connection: Connection, service: string): void {
    const peer = new Peer(connection, this.#options.timers)
    if (this.#isClosed) void peer.close(new AteError('CONNECTION_CLOSED', 'The server is stopping.'))
    this.#peers.set(peer, service)
    void peer.closed.then(() => this.#peers.delete(peer))
  }

  counts(): ServerCounts {
    const connections = this.#peers.size
    const none = { batchesTaken: 0, bytesTaken: 0, batchesSent: 0, bytesSent: 0, batchesRefused: 0 }
    return { connections, openChains: 0, channels: 0, ...none }
  }

  /** Takes no more connections, says goodbye to those there are, and closes all chains, durable. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(Array.from(this.#peers.keys(), (peer) => peer.close()))
  }
}
