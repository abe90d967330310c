/** From a socket to a connection: whoever comes is bounded at every step, and told why when it ends. */
import { setMaxListeners } from 'node:events'
import type { Visitor } from '../adapters/node/web-socket/listen.js'
import { errorCode } from '../engine/error.js'
import { accept, type AcceptOptions, type Connection, type Transport } from '../wire/index.js'
import type { ChainService } from './chain-service.js'
import type { HandshakeGate } from './handshake-gate.js'
import type { Log } from './log.js'
import type { Counter } from './metrics.js'

export interface FrontDoorOptions {
  readonly gate: HandshakeGate
  readonly accepting: AcceptOptions
  readonly service: ChainService
  readonly log: Log
  readonly opened: Counter
  readonly failed: Counter
}

export class FrontDoor {
  readonly #options: FrontDoorOptions
  readonly #connections = new Set<Connection>()
  /** Serving them goes on a little longer than they do. */
  readonly #visits = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(options: FrontDoorOptions) {
    this.#options = options
    // Every connection listens to it.
    setMaxListeners(0, this.#stopping.signal)
  }

  /** Connections whose handshake is done. */
  get connections(): number {
    return this.#connections.size
  }

  receive(transport: Transport, { address }: Visitor): void {
    const visit = this.#visit(transport, address).finally(() => this.#visits.delete(visit))
    this.#visits.add(visit)
  }

  /** Says goodbye to all. Resolves when they are gone. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#visits)
  }

  async #visit(transport: Transport, address: string): Promise<void> {
    const { log, service, opened, failed } = this.#options
    const connection = await this.#handshake(transport, address)
    if (connection === undefined) {
      failed.add()
      return
    }
    const { bits, format, compression } = connection.agreement
    opened.add()
    this.#connections.add(connection)
    log.info('connected', { address, bits, format: format.name, isCompressed: compression !== undefined })
    try {
      await service.serve(connection)
    } catch (error) {
      log.error('serving a connection failed', { address, reason: reasonOf(error) })
      await connection.close()
    } finally {
      this.#connections.delete(connection)
    }
    const { code, message, by } = await connection.closed
    log.info('disconnected', { address, code, by, reason: message })
  }

  async #handshake(transport: Transport, address: string): Promise<Connection | undefined> {
    const { gate, accepting, log } = this.#options
    let leave: (() => void) | undefined
    try {
      leave = await gate.enter(address)
      return await accept(transport, { ...accepting, signal: this.#stopping.signal })
    } catch (error) {
      // Before `accept` nobody has ended it.
      if (leave === undefined) transport.destroy()
      log.info('refused', { address, code: errorCode(error), reason: reasonOf(error) })
      return undefined
    } finally {
      leave?.()
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
