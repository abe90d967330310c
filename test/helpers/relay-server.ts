/** A process with a relay of tests behind a WebSocket. Started with fork(); says `{ port }`; `away` cuts it off, `back` lets it in. */
import { listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import { Relay } from './relay.js'

const relay = new Relay()
const listener = await listenWebSocket({
  host: '127.0.0.1',
  port: 0,
  onTransport: (transport) => {
    if (relay.isAway) transport.close()
    else relay.accept(transport)
  },
})

process.on('message', (message) => {
  relay.isAway = message === 'away'
  if (relay.isAway) relay.cut()
  process.send?.({ isAway: relay.isAway })
})
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.send?.({ port: listener.port })
