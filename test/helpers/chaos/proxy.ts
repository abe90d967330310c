/** The way between a client and a server: bytes pass until a test drops, stalls or cuts them, wherever they are. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

interface Way {
  readonly client: Socket
  readonly server: Socket
}

export class ChaosProxy {
  /** Bytes of the server that the next connections pass before they end in the middle of whatever that is. */
  cutAfterBytes = Infinity
  /** Of the client. */
  cutAfterClientBytes = Infinity
  /** Bytes that came from either side. */
  readonly passed = { client: 0, server: 0 }
  /** Connections that came about. */
  connections = 0
  readonly #ways = new Set<Way>()
  readonly #listener: Server
  readonly #target: () => number
  #isAway = false
  #isStalled = false

  private constructor(target: () => number) {
    this.#target = target
    this.#listener = createServer({ pauseOnConnect: true }, (client) => this.#pass(client))
  }

  /** To a port of this machine, which may become another one. */
  static async to(target: () => number): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target)
    proxy.#listener.listen(0, '127.0.0.1')
    await once(proxy.#listener, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** All connections end, in the middle of whatever is on its way. */
  cut(): void {
    for (const { client, server } of this.#ways) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  /** Nobody comes through, and who was there is lost. */
  part(): void {
    this.#isAway = true
    this.cut()
  }

  /** Connections stay, and nothing moves: neither side is told. */
  stall(): void {
    this.#isStalled = true
    for (const way of this.#ways) hold(way)
  }

  heal(): void {
    this.#isAway = false
    this.#isStalled = false
    for (const { client, server } of this.#ways) {
      client.resume()
      server.resume()
    }
  }

  async close(): Promise<void> {
    this.part()
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  #pass(client: Socket): void {
    client.on('error', () => undefined)
    if (this.#isAway) {
      client.resetAndDestroy()
      return
    }
    this.connections++
    const server = connect(this.#target(), '127.0.0.1')
    const way: Way = { client, server }
    this.#ways.add(way)
    const end = (): void => {
      this.#ways.delete(way)
      client.destroy()
      server.destroy()
    }
    this.#carry('client', client, server, this.cutAfterClientBytes, end)
    this.#carry('server', server, client, this.cutAfterBytes, end)
    for (const socket of [client, server]) socket.on('close', end).on('error', end)
    if (this.#isStalled) hold(way)
    else client.resume()
  }

  #carry(from: 'client' | 'server', source: Socket, sink: Socket, most: number, end: () => void): void {
    let left = most
    source.on('data', (bytes) => {
      this.passed[from] += bytes.length
      sink.write(bytes.subarray(0, Math.max(0, Math.min(left, bytes.length))))
      left -= bytes.length
      // What was written before goes out first.
      if (left <= 0) sink.end(end)
    })
  }
}

function hold({ client, server }: Way): void {
  client.pause()
  server.pause()
}
