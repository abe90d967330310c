/** Servers with files, and clients that come over WebSockets of the loopback device. */
import { cpSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ServerStores } from '../../src/adapters/node/server-stores.js'
import { dialWebSocket } from '../../src/adapters/node/web-socket/connect.js'
import { type Listener, listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import type { ChainServer, ChainServerOptions } from '../../src/server/index.js'
import { Peer, START } from '../../src/sync/index.js'
import { accept, connect } from '../../src/wire/index.js'
import { LocalChain, serverOn, TestClient } from '../helpers/chain-server.js'
import { clientOptions, failure, serverOptions } from '../helpers/wire.js'

interface Served {
  server: ChainServer
  client: (name: number) => Promise<TestClient>
  close: () => Promise<void>
}

async function serve(t: Test, directory: string, options: Partial<ChainServerOptions> = {}): Promise<Served> {
  const server = serverOn(new ServerStores(directory), options)
  const listener: Listener = await listenWebSocket({
    host: '127.0.0.1',
    port: 0,
    onTransport: (transport) =>
      void accept(transport, serverOptions()).then(
        (connection) => server.accept(connection, 'db'),
        () => undefined,
      ),
  })
  const close = async (): Promise<void> => {
    await server.close()
    await listener.close()
  }
  t.teardown(close)
  return {
    server,
    close,
    client: async (name) => {
      const transport = await dialWebSocket(`ws://127.0.0.1:${listener.port}/db`)
      return new TestClient(new Peer(await connect(transport, clientOptions())), new Uint8Array(16).fill(name))
    },
  }
}

t.test('what was accepted is there after a crash, and after an orderly end', async (t) => {
  const directory = t.testdir({ logs: {}, copy: {} })
  const first = await serve(t, join(directory, 'logs'))
  const writer = await (await first.client(1)).create('team/notes')
  const reader = await (await first.client(2)).open('team/notes')
  await reader.follow()
  const local = await LocalChain.make(...Array.from({ length: 20 }, (_, i) => i * 100))
  const { term } = await writer.turn(START)
  await writer.upload(term, await local.batches())
  await writer.until(() => writer.accepted.at(-1) === 20)
  await reader.until(() => reader.received.length === 20)
  t.equal(statSync(join(directory, 'logs/db/team/notes/manifest')).mode & 0o077, 0, 'nobody else reads it')
  // As a process that was killed leaves it.
  cpSync(join(directory, 'logs'), join(directory, 'copy'), { recursive: true })
  await first.close()
  for (const logs of ['logs', 'copy']) {
    const again = await serve(t, join(directory, logs), { limits: { graceMs: 100 } })
    const { chains } = await (await again.client(4)).peer.request(0, 'list', { after: '' })
    // What was never closed is counted when it is opened.
    const sequence = logs === 'logs' ? 20 : 0
    t.match(chains, [{ chain: 'team/notes', sequence }])
    const late = await (await again.client(3)).open('team/notes')
    t.strictSame(late.opened.digest, local.point.digest, logs)
    await late.follow()
    await late.until(() => late.received.length === 20)
    t.equal((await late.turn(local.point)).term, term + 1)
    await again.close()
  }
})

t.test('the space of dropped bodies is given back, and who comes later gets the rest', async (t) => {
  const directory = t.testdir()
  const first = await serve(t, directory)
  const local = await LocalChain.make(400_000, 100)
  const writer = await (await first.client(1)).create('notes')
  const { term } = await writer.turn(START)
  await writer.upload(term, await local.batches())
  await writer.until(() => writer.accepted.at(-1) === 2)
  await first.close()
  // What is still written to is never punched: now it is closed.
  const second = await serve(t, directory)
  const back = await (await second.client(1)).open('notes')
  await back.turn(local.point, { term })
  const { channel } = back.opened
  const drop = (numbers: [number, number][], asked = term): Promise<unknown> =>
    back.client.peer.request(channel, 'drop', { term: asked, numbers, upTo: 0 })
  t.equal(await failure(drop([[1001, 1003]], term + 1)), 'LOCK_LOST')
  t.equal(
    await failure(
      drop([
        [5, 9],
        [7, 8],
      ]),
    ),
    'BAD_ARGUMENT',
  )
  const allocated = (): number => {
    const segment = readdirSync(join(directory, 'db/notes')).find((name) => name.endsWith('.seg')) ?? ''
    return statSync(join(directory, 'db/notes', segment)).blocks * 512
  }
  const before = allocated()
  await drop([[1001, 1005]])
  for (let i = 0; i < 100 && allocated() > before - 200_000; i++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  t.ok(allocated() <= before - 200_000, `${before} bytes before, ${allocated()} now`)
  const late = await (await second.client(2)).open('notes')
  await late.follow()
  await late.until(() => late.received.length === 2)
  t.strictSame(
    late.received.map(({ sequence }) => sequence),
    [1, 2],
  )
  await second.close()
})

t.test('a chain that nobody uses is closed, and opened again', async (t) => {
  const { server, client, close } = await serve(t, t.testdir(), { limits: { idleMs: 50 } })
  const one = await client(1)
  await (await one.create('a')).leave()
  const kept = await one.create('b', new Uint8Array(16).fill(3))
  for (let i = 0; i < 100 && server.counts().openChains > 1; i++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  t.match(server.counts(), { openChains: 1, channels: 1, connections: 1 })
  t.equal((await kept.barrier()).sequence, 0)
  t.equal((await one.open('a')).opened.sequence, 0)
  await close()
})

t.test('a chain is not named as the files of another', async (t) => {
  const { client, close } = await serve(t, t.testdir())
  const one = await client(1)
  for (const name of ['a/manifest', 'a/0000000001.seg', 'keyring'])
    t.equal(await failure(one.create(name)), 'BAD_ARGUMENT')
  await one.create('a/b')
  await one.create('a', new Uint8Array(16).fill(3))
  const { chains } = await one.peer.request(0, 'list', { after: 'a' })
  t.strictSame(
    chains.map(({ chain }) => chain),
    ['a/b'],
  )
  await close()
})
