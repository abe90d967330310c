import { networkInterfaces } from 'node:os'
import t from 'tap'
import { dialWebSocket } from '../../../src/adapters/node/web-socket/connect.js'
import { listenWebSocket } from '../../../src/adapters/node/web-socket/listen.js'
import type { Transport } from '../../../src/wire/index.js'
import { wireContract } from '../../contract/wire.js'

const addresses = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? [])

for (const host of ['127.0.0.1', '::1']) {
  const skip = addresses.includes(host) ? false : `this machine has no ${host}`
  await t.test(`over WebSockets on ${host}`, { skip }, async (t) => {
    const arriving: ((transport: Transport) => void)[] = []
    const listener = await listenWebSocket({
      host,
      port: 0,
      onTransport: (transport) => arriving.shift()?.(transport),
    })
    t.equal(listener.address, host)
    const url = `ws://${host.includes(':') ? `[${host}]` : host}:${listener.port}/db`
    await wireContract(t, async () => {
      const arrived = new Promise<Transport>((resolve) => arriving.push(resolve))
      return Promise.all([dialWebSocket(url), arrived])
    })
    await listener.close()
  })
}
