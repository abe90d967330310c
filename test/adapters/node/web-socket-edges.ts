/** What is particular to WebSockets: dialling, listening, TLS, and visitors who speak something else. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as netConnect, createServer, type AddressInfo, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { dialWebSocket } from '../../../src/adapters/node/web-socket/connect.js'
import { type ListenOptions, type Listener, listenWebSocket } from '../../../src/adapters/node/web-socket/listen.js'
import { accept, type Connection, connect, MAX_PACKET_BYTES } from '../../../src/wire/index.js'
import { clientOptions, failure, serverOptions, take } from '../../helpers/wire.js'

const fixture = (name: string): string => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), 'utf8')
const certificate = fixture('certificate.pem')
const key = fixture('key.pem')

/** A server whose connections, and failures to become one, are handed over in order. */
async function serving(
  t: Test,
  options: Partial<ListenOptions> = {},
): Promise<{ listener: Listener; next: () => Promise<Connection> }> {
  const accepted: Promise<Connection>[] = []
  const waiting: ((connection: Promise<Connection>) => void)[] = []
  const listener = await listenWebSocket({
    host: '127.0.0.1',
    port: 0,
    onTransport(transport) {
      const connection = accept(transport, serverOptions())
      connection.catch(() => undefined)
      const wanted = waiting.shift()
      if (wanted === undefined) accepted.push(connection)
      else wanted(connection)
    },
    ...options,
  })
  t.teardown(() => listener.close())
  const next = async (): Promise<Connection> =>
    accepted.shift() ?? (await new Promise<Promise<Connection>>((resolve) => waiting.push(resolve)))
  return { listener, next }
}

t.test('over TLS, whose certificate is checked', async (t) => {
  const { listener, next } = await serving(t, { tls: { certificate, key } })
  const url = `wss://localhost:${listener.port}/db`
  const transport = await dialWebSocket(`wss://127.0.0.1:${listener.port}/db`, { authorities: certificate })
  const client = await connect(transport, clientOptions())
  const server = await next()
  client.send('hello')
  t.same(await take(server, 1), ['hello'])
  await client.close()
  await server.closed
  t.equal(await failure(dialWebSocket(url)), 'CONNECTION_FAILED', 'an authority that nobody knows')
  t.equal(await failure(dialWebSocket(url.replace('wss', 'ws'))), 'CONNECTION_FAILED', 'no TLS')
  await t.rejects(serving(t, { tls: { certificate, key: 'no key' } }), { code: 'BAD_ARGUMENT' })
})

const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ family }) => family === 'IPv6'))

t.test('on :: it is reached by IPv4 too', { skip: hasIpv6 ? false : 'this machine has no IPv6' }, async (t) => {
  const { listener, next } = await serving(t, { host: '::' })
  const client = await connect(await dialWebSocket(`ws://127.0.0.1:${listener.port}/`), clientOptions())
  await client.close()
  await (
    await next()
  ).closed
})

t.test('an address that is taken is refused by name', async (t) => {
  const { listener } = await serving(t)
  await t.rejects(serving(t, { port: listener.port }), { code: 'CONNECTION_FAILED', message: /EADDRINUSE/ })
  await t.rejects(serving(t, { host: '203.0.113.1' }), { code: 'CONNECTION_FAILED' })
})

t.test('plain HTTP is answered', async (t) => {
  const { listener } = await serving(t, { onRequest: (_request, response) => void response.end('healthy') })
  t.equal(await (await fetch(`http://127.0.0.1:${listener.port}/healthz`)).text(), 'healthy')
  const other = await serving(t)
  const response = await fetch(`http://127.0.0.1:${other.listener.port}/`)
  t.equal(response.status, 404)
  await response.text()
})

t.test('where nobody answers, or somebody else does, connecting fails by name', async (t) => {
  const silent = await listening(t, () => undefined)
  const rude = await listening(t, (socket) => socket.end('220 mail.example.org\r\n'))
  const { listener } = await serving(t)
  await listener.close()
  t.equal(await failure(dialWebSocket(`ws://127.0.0.1:${listener.port}/`)), 'CONNECTION_FAILED')
  t.equal(await failure(dialWebSocket(`ws://127.0.0.1:${rude}/`)), 'CONNECTION_FAILED')
  t.equal(await failure(dialWebSocket(`ws://127.0.0.1:${silent}/`, { timeoutMs: 100 })), 'TIMED_OUT')
  const giveUp = new AbortController()
  const dialling = failure(dialWebSocket(`ws://127.0.0.1:${silent}/`, { signal: giveUp.signal }))
  giveUp.abort()
  t.equal(await dialling, 'ABORTED')
  t.equal(await failure(dialWebSocket(`ws://127.0.0.1:${silent}/`, { signal: giveUp.signal })), 'ABORTED')
  t.equal(await failure(dialWebSocket('nonsense')), 'BAD_ARGUMENT')
  t.equal(await failure(dialWebSocket('tcp://127.0.0.1:1/')), 'BAD_ARGUMENT')
})

t.test('a visitor who speaks something else over a WebSocket is refused and disconnected', async (t) => {
  const { listener, next } = await serving(t)
  for (const message of ['text', new Uint8Array(0), new Uint8Array(3000)]) {
    const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/`)
    await once(socket, 'open')
    socket.send(message)
    const [refusal] = (await once(socket, 'message')) as [Uint8Array]
    t.equal(refusal[0], 6)
    await once(socket, 'close')
    t.match(await failure(next()), /BAD_FORMAT|MESSAGE_TOO_LARGE/)
  }
})

t.test('a packet that is too large is not even read', async (t) => {
  const { listener, next } = await serving(t)
  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/`)
  await once(socket, 'open')
  socket.send(new Uint8Array(MAX_PACKET_BYTES + 1))
  const [code] = (await once(socket, 'close')) as [number]
  t.equal(code, 1009)
  t.equal(await failure(next()), 'MESSAGE_TOO_LARGE')
})

t.test('pings are answered, and a flood of them by somebody who does not read is not kept', async (t) => {
  const { listener, next } = await serving(t)
  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/`)
  await once(socket, 'open')
  socket.ping('life')
  const [data] = (await once(socket, 'pong')) as [Buffer]
  t.equal(data.toString(), 'life')
  socket.pause()
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 50_000; i++) socket.ping(new Uint8Array(125))
  await new Promise((resolve) => setTimeout(resolve, 500))
  t.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
  socket.terminate()
  t.match(await failure(next()), /CONNECTION_LOST|TIMED_OUT/)
})

t.test('a client that vanishes is noticed', async (t) => {
  const { listener, next } = await serving(t)
  const transport = await dialWebSocket(`ws://127.0.0.1:${listener.port}/`)
  const client = await connect(transport, clientOptions())
  const server = await next()
  transport.destroy()
  t.match(await server.closed, { code: 'CONNECTION_LOST', by: 'there' })
  t.match(await client.closed, { code: 'CONNECTION_LOST' })
})

/** A plain TCP server on a port of its own. */
async function listening(t: Test, visit: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    t.teardown(() => void socket.destroy())
    visit(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return (server.address() as AddressInfo).port
}

t.test('a connection that says nothing keeps nobody from closing', async (t) => {
  const { listener } = await serving(t)
  const silent = netConnect(listener.port, '127.0.0.1')
  await once(silent, 'connect')
  const gone = once(silent, 'close')
  silent.on('error', () => undefined)
  silent.resume()
  const sinceMs = performance.now()
  await listener.close()
  t.ok(performance.now() - sinceMs < 2000)
  await gone
})
