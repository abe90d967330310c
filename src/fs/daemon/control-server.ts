/**
 * The daemon's side of `status` and `umount`: a Unix socket in a directory only its owner (and root) can enter, so that
 * the kernel decides who may ask. One request per connection, one line of JSON each way, of bounded length and time.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
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

export interface ControlServer {
  /** Takes no more requests and removes the socket; those being answered go on. */
  close(): void
}

export async function startControlServer(path: string, handlers: ControlHandlers): Promise<ControlServer> {
  const server = createServer((socket) => serve(socket, handlers))
  server.maxConnections = MAX_CONNECTIONS
  const address = socketPath(path)
  rmSync(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.path, resolve)
  })
  chmodSync(path, 0o600)
  return {
    close() {
      server.close(() => address.release())
      rmSync(path, { force: true })
    },
  }
}

function serve(socket: Socket, handlers: ControlHandlers): void {
  let request = ''
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy())
  socket.on('data', (chunk: string) => {
    request += chunk
    const end = request.indexOf('\n')
    if (end < 0 && request.length <= MAX_REQUEST_BYTES) return
    socket.removeAllListeners('data').resume().setTimeout(0)
    void answer(request.slice(0, end), handlers).then((reply) => socket.end(`${JSON.stringify(reply)}\n`))
  })
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
