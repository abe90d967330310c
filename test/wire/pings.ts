/** The original's test of its connections: a thousand pings over a WebSocket whose server's key is known, all of which come back. */
import t from 'tap'
import { dialWebSocket } from '../../src/adapters/node/web-socket/connect.js'
import { listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import { accept, connect, type Connection } from '../../src/wire/index.js'
import { clientOptions, identityId, serverOptions, take } from '../helpers/wire.js'

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) connection.send(message as string)
}

t.test('a thousand pings over 192 bits to a server whose key is known come back, in order', async (t) => {
  const served: Promise<void>[] = []
  const listener = await listenWebSocket({
    host: '127.0.0.1',
    port: 0,
    onTransport: (transport) => void served.push(accept(transport, serverOptions()).then(echo)),
  })
  const trust = { server: 'localhost:5000', key: identityId }
  const transport = await dialWebSocket(`ws://127.0.0.1:${listener.port}/db`)
  const connection = await connect(transport, clientOptions({ trust, encryption: 192 }))
  t.match(connection.agreement, { bits: 192 })
  const pings = Array.from({ length: 1000 }, (_, i) => `hello ${i}`)
  for (const ping of pings) connection.send(ping)
  t.strictSame(await take(connection, pings.length), pings)
  await connection.close()
  await Promise.all(served)
  await listener.close()
})
