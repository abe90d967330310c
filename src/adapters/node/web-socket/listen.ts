/** A server for WebSockets: hands over every connection as a transport, and answers what is plain HTTP. */
import { createServer, type IncomingMessage, type ServerResponse, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { AteError } from '../../../engine/error.js'
import { MAX_PACKET_BYTES, type Transport } from '../../../wire/index.js'
import { SOCKET_OPTIONS, WebSocketTransport } from './transport.js'

/** From the first byte to the end of the HTTP request. */
const REQUEST_TIMEOUT_MS = 10_000
/** Sockets that are open at the same time. Each may hold a packet of 1 MiB before it has shown anything. */
const MAX_SOCKETS = 4096

export interface Visitor {
  /** Path of the URL, as it was sent. */
  path: string
  /** Address of the other side. */
  address: string
}

export interface ListenOptions {
  /** An address to bind. `::` takes IPv4 too. */
  host: string
  /** 0 takes a free one. */
  port: number
  /** PEM: serves wss instead of ws. */
  tls?: { certificate: string; key: string } | undefined
  maxSockets?: number
  /** Asked for each TCP connection before anything of it is read: false ends it. `onGone` tells when it has ended. */
  admit?: ((address: string, onGone: (listener: () => void) => void) => boolean) | undefined
  onTransport: (transport: Transport, visitor: Visitor) => void
  /** Answers plain HTTP; without it everything is 404. */
  onRequest?: (request: IncomingMessage, response: ServerResponse) => void
}

export interface Listener {
  readonly port: number
  readonly address: string
  /** Takes no more connections; WebSockets that there are go on. Resolves when all are gone. */
  close(): Promise<void>
}

/** Resolves when it is bound. CONNECTION_FAILED when it cannot be; BAD_ARGUMENT for a certificate that is none. */
export async function listenWebSocket(options: ListenOptions): Promise<Listener> {
  const http = httpServer(options)
  http.maxConnections = options.maxSockets ?? MAX_SOCKETS
  http.on('request', options.onRequest ?? notFound)
  const { admit } = options
  if (admit !== undefined) {
    http.on('connection', (socket: Socket) => {
      const isWanted = admit(socket.remoteAddress ?? '', (listener) => void socket.once('close', listener))
      if (!isWanted) socket.destroy()
    })
  }
  const sockets = new WebSocketServer({
    ...SOCKET_OPTIONS,
    server: http,
    maxPayload: MAX_PACKET_BYTES,
    clientTracking: false,
  })
  sockets.on('connection', (socket, request) => {
    const address = request.socket.remoteAddress ?? ''
    options.onTransport(new WebSocketTransport(socket), { path: pathOf(request), address })
  })
  // Those of the HTTP server come here too; that of binding it is told by `bound`.
  sockets.on('error', () => undefined)
  await bound(http, options)
  const { port, address } = addressOf(http)
  return { port, address, close: () => closed(http, sockets) }
}

function httpServer({ tls }: ListenOptions): Server {
  const limits = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 1000,
  }
  if (tls === undefined) return createServer(limits)
  try {
    return createTlsServer({ ...limits, handshakeTimeout: REQUEST_TIMEOUT_MS, cert: tls.certificate, key: tls.key })
  } catch (cause) {
    throw new AteError('BAD_ARGUMENT', 'The certificate and its key do not fit, or are none.', { cause })
  }
}

function bound(http: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void =>
      reject(new AteError('CONNECTION_FAILED', `Cannot listen on ${host} port ${port}: ${cause.message}.`, { cause }))
    http.once('error', failed)
    http.listen({ host, port }, () => {
      http.removeListener('error', failed)
      resolve()
    })
  })
}

function closed(http: Server, sockets: WebSocketServer): Promise<void> {
  return new Promise((resolve) => {
    sockets.close()
    http.close(() => resolve())
    // Also those that say nothing. Those of WebSockets, which end by themselves, are none of them.
    http.closeAllConnections()
  })
}

function addressOf(http: Server): AddressInfo {
  const address = http.address()
  if (typeof address === 'object' && address !== null) return address
  throw new AteError('CONNECTION_FAILED', 'The server has no address.')
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0] ?? '/'
}

function notFound(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(404).end()
}
