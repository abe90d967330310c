/** A server of a test that keeps chains as the real one does, and is killed and started again. */
import { AteError } from '../../src/engine/error.js'
import type { ChainServer, ChainStores, ServerLimits } from '../../src/server/index.js'
import type { TrustMode } from '../../src/sync/requests.js'
import { accept, type Connection, memoryTransports, type Transport } from '../../src/wire/index.js'
import { MemoryStores, serverOn } from './chain-server.js'
import { crypto, identity } from './wire.js'

export class TestServer {
  readonly stores = new MemoryStores()
  readonly #disk: ChainStores | undefined
  isAway = false
  readonly #connections = new Set<Connection>()
  readonly #limits: Partial<ServerLimits>
  #server: ChainServer

  readonly #trust: TrustMode

  constructor(limits: Partial<ServerLimits> = {}, trust: TrustMode = 'centralized', disk?: ChainStores) {
    this.#disk = disk
    this.#trust = trust
    this.#limits = { graceMs: 300, ...limits }
    this.#server = this.#start()
  }

  readonly dial = (): Promise<Transport> => {
    if (this.isAway) return Promise.reject(new AteError('CONNECTION_FAILED', 'Nobody answers.'))
    const [here, there] = memoryTransports()
    this.accept(there)
    return Promise.resolve(here)
  }

  /** Serves whoever is there. */
  accept(transport: Transport): void {
    if (this.isAway) {
      transport.close()
      return
    }
    void accept(transport, { crypto, identity, encryption: 0 }).then(
      (connection) => {
        this.#connections.add(connection)
        void connection.closed.then(() => this.#connections.delete(connection))
        this.#server.accept(connection, 'db')
      },
      () => undefined,
    )
  }

  /** All connections are lost. */
  cut(): void {
    for (const connection of this.#connections)
      void connection.close(new AteError('CONNECTION_LOST', 'The test cuts it.'))
  }

  /** It ends, and another one has its chains. */
  async restart(meanwhile: () => Promise<void> | undefined = () => undefined): Promise<void> {
    this.isAway = true
    await this.#server.close()
    await meanwhile()
    this.#server = this.#start()
    this.isAway = false
  }

  get storageProblem(): string | undefined {
    return this.#server.storageProblem
  }

  close(): Promise<void> {
    return this.#server.close()
  }

  #start(): ChainServer {
    return serverOn(this.#disk ?? this.stores, { limits: this.#limits, trust: this.#trust })
  }
}
