/** A server behind WebSockets and a proxy that cuts connections off. */
import type { Test } from 'tap'
import { dialWebSocket } from '../../../src/adapters/node/web-socket/connect.js'
import { listenWebSocket } from '../../../src/adapters/node/web-socket/listen.js'
import { TestServer } from '../real-server.js'
import type { Served } from '../remote-chains.js'
import { ChaosProxy } from './proxy.js'

export interface ServerBehindProxy {
  server: TestServer
  proxy: ChaosProxy
  /** The way through the proxy. */
  served: Served
}

/** Closed with the test. */
export async function serverBehindProxy(t: Test): Promise<ServerBehindProxy> {
  const server = new TestServer()
  const onTransport = server.accept.bind(server)
  const listener = await listenWebSocket({ host: '127.0.0.1', port: 0, onTransport })
  const proxy = await ChaosProxy.to(() => listener.port)
  t.teardown(async () => {
    await proxy.close()
    await server.close()
    await listener.close()
  })
  const dial = (): ReturnType<TestServer['dial']> => dialWebSocket(`ws://127.0.0.1:${proxy.port}/db`)
  return { server, proxy, served: { dial, chains: server.stores.chains } }
}
