/**
 * The daemon's side of `status` and `umount`: a Unix socket in a directory only its owner (and root) can enter, so that
 * the kernel decides who may ask. One request per connection, one line of JSON each way, of bounded length and time.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AteError } from '../../engine/error.js'
import { toErrorRecord } from './error-record.js'
import { parseJsonObject } from './json-fields.js'
import { socketPath } from './socket-path.js'

/** What a request may ask; each answer must be plain JSON data. */
export interface ControlHandlers {
  status(): object
  /** Resolves when everything is durable and the chain is closed. */
  unmount(): Promise<object>
}

const MAX_REQUEST_BYTES = 4096
const MAX_CONNECTIONS = 32
/** From connecting to the end of the request. */
const REQUEST_TIMEOUT_MS = 5000

/** For the answers that are on their way when the daemon ends. */
const GOODBYE_MS = 2000

export class ControlServer {
  readonly #path: string
  readonly #handlers: ControlHandlers
  readonly #server = createServer((socket) => this.#serve(socket))
  /** Connections whose request has not arrived yet. */
  readonly #silent = new Set<Socket>()

  private constructor(path: string, handlers: ControlHandlers) {
    this.#path = path
    this.#handlers = handlers
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  static async start(path: string, handlers: ControlHandlers): Promise<ControlServer> {
    const control = new ControlServer(path, handlers)
    const address = socketPath(path)
    rmSync(path, { force: true })
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', reject).listen(address.path, resolve)
    })
    chmodSync(path, 0o600)
    control.#server.once('close', address.release)
    return control
  }

  /** Takes no more requests and removes the socket. Resolves when those that were taken are answered. */
  async close(): Promise<void> {
    rmSync(this.#path, { force: true })
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#silent) socket.destroy()
    const timeout = new AbortController()
    const bound = sleep(GOODBYE_MS, undefined, { signal: timeout.signal }).catch(() => undefined)
    await Promise.race([closed, bound])
    timeout.abort()
  }

  #serve(socket: Socket): void {
    let request = ''
    this.#silent.add(socket)
    socket.setEncoding('utf8')
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#silent.delete(socket))
    socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy())
    socket.on('data', (chunk: string) => {
      request += chunk
      const end = request.indexOf('\n')
      if (end < 0 && request.length <= MAX_REQUEST_BYTES) return
      this.#silent.delete(socket)
      socket.removeAllListeners('data').resume().setTimeout(0)
      void answer(request.slice(0, end), this.#handlers).then((reply) => socket.end(`${JSON.stringify(reply)}\n`))
    })
  }
}

async function answer(line: string, handlers: ControlHandlers): Promise<object> {
  try {
    const request = parseJsonObject(line)
    if (request['op'] === 'status') return { ok: true, result: handlers.status() }
    if (request['op'] === 'unmount') return { ok: true, result: await handlers.unmount() }
    throw new AteError('BAD_ARGUMENT', 'the daemon does not know this request')
  } catch (error) {
    return { ok: false, error: toErrorRecord(error, 'DAEMON_FAILED') }
  }
}
