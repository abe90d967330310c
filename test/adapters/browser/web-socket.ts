/** The browser's transport, over a WebSocket of `ws`, which has the face of a browser's. */
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { openBrowserSocket } from '../../../src/adapters/browser/web-socket.js'
import { listenWebSocket } from '../../../src/adapters/node/web-socket/listen.js'
import { connect, type Transport } from '../../../src/wire/index.js'
import { wireContract } from '../../contract/wire.js'
import { clientOptions, failure } from '../../helpers/wire.js'

async function serving(t: Test): Promise<{ url: string; arrived: () => Promise<Transport> }> {
  const waiting: ((transport: Transport) => void)[] = []
  const listener = await listenWebSocket({
    host: '127.0.0.1',
    port: 0,
    onTransport: (transport) => waiting.shift()?.(transport),
  })
  t.teardown(() => listener.close())
  const arrived = (): Promise<Transport> => new Promise((resolve) => waiting.push(resolve))
  return { url: `ws://127.0.0.1:${listener.port}/db`, arrived }
}

await t.test('it keeps the contract', async (t) => {
  const { url, arrived } = await serving(t)
  await wireContract(t, async () => Promise.all([openBrowserSocket(new WebSocket(url)), arrived()]))
})

await t.test('what cannot be opened fails by name', async (t) => {
  t.equal(await failure(openBrowserSocket(new WebSocket('ws://127.0.0.1:1/'))), 'CONNECTION_FAILED')
  const { url } = await serving(t)
  t.equal(await failure(openBrowserSocket(new WebSocket(url), { signal: AbortSignal.abort() })), 'ABORTED')
})

await t.test('a server that speaks in text is refused', async (t) => {
  const { url, arrived } = await serving(t)
  const [transport, server] = await Promise.all([openBrowserSocket(new WebSocket(url)), arrived()])
  const connecting = failure(connect(transport, clientOptions()))
  server.start({ packet: () => undefined, ended: () => undefined })
  server.send(new Uint8Array(0), () => undefined)
  t.equal(await connecting, 'BAD_FORMAT')
})
