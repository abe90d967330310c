/** A relay of a test that real WebSockets reach. */
import type { Test } from 'tap'
import { listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import { Relay } from './relay.js'

export async function webRelay(t: Test): Promise<{ relay: Relay; url: string; port: number }> {
  const relay = new Relay()
  const listener = await listenWebSocket({ host: '::', port: 0, onTransport: (transport) => relay.accept(transport) })
  t.teardown(async () => {
    relay.cut()
    await listener.close()
  })
  const { port } = listener
  return { relay, port, url: `ws://localhost:${port}/db` }
}
