/**
 * The original's test of its mesh: five nodes with one key, in both modes of trust and with every wire setting. Programs come to
 * whichever node, and find the chain that only one of them has.
 */
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  AteConfig,
  AteSession,
  type Chain,
  dataType,
  generateWriteKey,
  isAteError,
  type ObjectKey,
  plain,
  Registry,
  type Subscription,
  vecOf,
} from '../../src/index.js'
import { agreedBits, type AtedbServer, startAtedb } from '../helpers/atedb-server.js'
import { type CliWorld, cliWorld, shell } from '../helpers/cli.js'
import { eventually } from '../helpers/remote-chains.js'

const NODES = 5
const WIRES = [0, 128, 192, 256] as const
const ON_SERVER = { durability: 'server', retries: 100 } as const

const Message = dataType('MeshMessage', plain<{ text: string }>())
const Table = dataType('MeshTable', plain<{ name: string }>(), { links: { messages: vecOf(Message) } })

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** They share a key, as servers of one name do. */
async function mesh(t: Test, world: CliWorld, trust: string): Promise<AtedbServer[]> {
  const ports = await freePorts(NODES)
  const list = world.path('nodes')
  writeFileSync(list, ports.map((port) => `127.0.0.1:${port}\n`).join(''))
  const identity = world.path('identity')
  const start = (node: number): Promise<AtedbServer> => {
    const words = ['--no-auth', '--no-wire-encryption', '-vv', '-t', trust, '--nodes-list', list, '-n', String(node)]
    const place = ['-l', '127.0.0.1', '-p', String(ports[node]), '--server-key', identity]
    return startAtedb(t, world, [...place, ...words], world.path(`node${node}`))
  }
  const first = await start(0)
  return [first, ...(await Promise.all([1, 2, 3, 4].map(start)))]
}

const next = async (events: AsyncIterator<{ kind: string; dao?: { text: string } }>): Promise<string> => {
  const event = (await events.next()).value as { dao?: { text: string } } | undefined
  return event?.dao?.text ?? ''
}

/** What the original's test does on one chain: two rows of A, one of B, children, two listeners, and everybody reads. */
async function exercise(t: Test, a: Chain, b: Chain, session: AteSession): Promise<ObjectKey> {
  const options = { ...ON_SERVER, session }
  const rows = await a.transact(
    (dio) => ['one', 'two'].map((name) => dio.store({ name }, { type: Table }).key),
    options,
  )
  const own = await b.transact((dio) => dio.store({ name: 'of B' }, { type: Table }).key, options)
  const [key] = rows
  if (key === undefined) throw new Error('there is no row')
  await b.refresh()
  t.equal((await b.dio(session).load(Table, key)).name, 'one', 'B sees a row of A')
  const listen = async (chain: Chain): Promise<AsyncIterator<never>> => {
    const { messages } = await chain.dio(session).load(Table, key)
    const events: Subscription<typeof Message> = messages.subscribe()
    return events[Symbol.asyncIterator]() as AsyncIterator<never>
  }
  const buses = [await listen(a), await listen(b)]
  for (const text of ['test_string1', 'test_string2'])
    await b.transact(async (dio) => void (await dio.load(Table, key)).messages.push({ text }), options)
  for (const bus of buses)
    for (const text of ['test_string1', 'test_string2']) t.equal(await next(bus), text, 'both buses')
  await eventually(async () => (await a.dio(session).tryLoad(Table, own))?.name === 'of B', 10_000)
  await (await a.queue('work', Message, { session })).send({ text: 'test_string2' })
  const taken: string[] = []
  const work = await b.queue('work', Message, { session })
  const done = new AbortController()
  const take = ({ text }: { text: string }): void => {
    taken.push(text)
    done.abort()
  }
  await work.process(take, { signal: done.signal })
  t.strictSame(taken, ['test_string2'], 'B processes what A has sent')
  return key
}

for (const trust of ['centralized', 'distributed'] as const)
  await t.test(`five nodes, ${trust} trust: plain, 128, 192 and 256 bits; a wrong node redirects`, async (t) => {
    const world = cliWorld(t)
    const nodes = await mesh(t, world, trust)
    const root = generateWriteKey()
    const session = new AteSession({ writeKeys: [root] })
    const serverKey = nodes[0]?.started.serverKey ?? ''
    for (const wireEncryption of WIRES) {
      const before = nodes.map((node) => agreedBits(node).length)
      const registries: Registry[] = []
      const open = async (node: number, who: string): Promise<Chain> => {
        const config = AteConfig.default().with({
          passphrase: 'secret',
          logPath: world.path(`${who}-${wireEncryption}`),
          knownServers: world.path(`known-${wireEncryption}`),
          // Whoever knows a server's key takes nothing in clear.
          ...(wireEncryption === 0 ? {} : { serverKey }),
          wireEncryption,
          rootKeys: [root],
          ...(trust === 'distributed' ? { trust } : {}),
        })
        const registry = new Registry(config)
        registries.push(registry)
        const { chain } = await registry.open(`ws://127.0.0.1:${nodes[node]?.port}/db`, `mesh-${wireEncryption}`)
        return chain
      }
      const a = await open(0, 'a')
      const key = await exercise(t, a, await open(1, 'b'), session)
      // Of three at most one has come to the node that has the chain.
      const reader = await open(4, 'reader')
      t.equal((await reader.dio(session).load(Table, key)).name, 'one', `with ${wireEncryption} bits`)
      await Promise.all(registries.map((registry) => registry.close()))
      const bits = nodes.flatMap((node, at) => agreedBits(node).slice(before[at]))
      t.ok(bits.length >= 3)
      t.strictSame([...new Set(bits)], [wireEncryption], 'what the connections agreed')
    }
  })

t.test('a mount that comes to the wrong node is led to the right one', async (t) => {
  const world = cliWorld(t)
  const [first, ...others] = await mesh(t, world, 'centralized')
  if (first === undefined) throw new Error('there is no node')
  writeFileSync(world.path('passfile'), 'secret')
  const mounts = [first, ...others].slice(0, 2).map((node, i) => ({ node, mount: world.path(`m${i}`), i }))
  for (const { node, mount, i } of mounts) {
    const url = `ws://127.0.0.1:${node.port}/db`
    const place = ['--log-path', world.path(`logs${i}`), '--passfile', world.path('passfile')]
    const mounted = await world.run([
      'mount',
      mount,
      'team',
      '-r',
      url,
      '--server-key',
      first.started.serverKey,
      ...place,
    ])
    t.equal(mounted.code, 0, mounted.stderr)
  }
  const [here, there] = mounts.map(({ mount }) => mount)
  await shell(`echo written > ${here}/file; sync ${here}/file`)
  await t.resolves(
    shell(
      `for i in $(seq 200); do [ "$(cat ${there}/file)" = written ] && exit 0; sleep 0.08; done 2>/dev/null; exit 1`,
    ),
    'both are of one chain',
  )
  for (const { mount } of mounts) t.equal((await world.run(['umount', mount])).code, 0)
})

t.test('tcp:// is refused by name', async (t) => {
  const registry = new Registry(AteConfig.default())
  const refused: unknown = await registry.open('tcp://localhost:5000/db', 'x').catch((error: unknown) => error)
  t.ok(isAteError(refused) && refused.code === 'NOT_SUPPORTED')
  await registry.close()
})
