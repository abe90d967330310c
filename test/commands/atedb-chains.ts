/** Chains of the program `atedb`: made on first use, durable when that was said, and there again whatever happens to it. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { dialWebSocket } from '../../src/adapters/node/web-socket/connect.js'
import { failureDetail, Peer } from '../../src/sync/index.js'
import { type AtedbServer, dial, startAtedb } from '../helpers/atedb-server.js'
import { cliWorld } from '../helpers/cli.js'
import { eventually, type Machine, machine, type MachineOptions, store, texts } from '../helpers/remote-chains.js'
import { failure, someKey } from '../helpers/wire.js'

const OPEN = ['-l', '127.0.0.1', '--no-auth', '--no-wire-encryption']
const { suite, publicKey } = someKey
const made = { id: new Uint8Array(16).fill(7), suite: 3, trust: 'centralized', keyring: null } as const
const CHAIN = { ...made, writer: { suite, publicKey } } as const

/** A copy of a chain of the server, which makes it when it has no keys. */
function copy(server: AtedbServer, chain: string, options: MachineOptions = {}): Promise<Machine> {
  const served = {
    dial: () => dialWebSocket(`ws://${server.started.listening}/db`),
    chains: { has: () => options.keys !== undefined },
  }
  return machine(served, { chain, ...options })
}

/** What a client that only asks is answered. */
async function asking(server: AtedbServer): Promise<Peer> {
  return new Peer(await dial(server))
}

t.test('chains are made by who comes first, several at once, where their URLs say', async (t) => {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, OPEN)
  const names = ['notes', 'example.org/anna/notes', 'ünïcode name']
  const copies = await Promise.all(names.map((name) => copy(server, name)))
  await Promise.all(copies.map((each, at) => store(each, `of ${names[at]}`)))
  await Promise.all(copies.map(({ remote }) => remote.accepted()))
  for (const [at, each] of copies.entries()) t.same(await texts(each), [`of ${names[at]}`])
  const metrics = await (await fetch(`http://${server.started.listening}/metrics`)).text()
  t.match(metrics, /^atefs_chains_open 3$/m)
  t.match(metrics, /^atefs_batches_taken_total 3$/m)
  t.notMatch(metrics, /notes/)
  for (const each of copies) await each.close()
  for (const name of names) t.ok(existsSync(world.path('logs/db', name, 'manifest')), name)
  const peer = await asking(server)
  for (const bad of ['..', '../x', 'a/../../x', '~server', '', 'a\0b'])
    t.equal(await failure(peer.request(0, 'create', { chain: bad, ...CHAIN })), 'BAD_ARGUMENT', JSON.stringify(bad))
  t.same(readdirSync(world.path('logs')).sort(), ['db', '~server'])
  await peer.close()
  t.equal(await server.end('SIGTERM'), 0, server.messages())
})

t.test('what was accepted is there after kill -9, and clients go on by themselves', async (t) => {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, OPEN)
  const one = await copy(server, 'notes')
  for (let i = 0; i < 20; i++) await store(one, `before ${i}`)
  await one.remote.accepted()
  await server.end('SIGKILL')
  const again = await startAtedb(t, world, [...OPEN, '-p', String(server.port)])
  await eventually(
    async () =>
      await store(one, 'after').then(
        () => true,
        () => false,
      ),
    10_000,
  )
  await one.remote.accepted()
  const other = await copy(again, 'notes', { keys: one.keys })
  t.same(await texts(other), await texts(one))
  t.equal((await texts(other)).length, 21)
  await other.close()
  await one.close()
  t.equal(await again.end('SIGTERM'), 0, again.messages())
})

t.test(
  'when it is stopped everything that was brought is durable, also in the copies of its backup path',
  async (t) => {
    const world = cliWorld(t)
    const server = await startAtedb(t, world, [...OPEN, '-b', world.path('copies')])
    const one = await copy(server, 'a/b')
    for (let i = 0; i < 10; i++) await store(one, String(i))
    await one.remote.accepted()
    t.equal(await server.end('SIGTERM'), 0, server.messages())
    await one.kill()
    for (const directory of ['logs', 'copies']) {
      const other = cliWorld(t)
      const flags = [...OPEN, '--server-key', world.path('logs/~server/identity')]
      const again = await startAtedb(t, other, flags, world.path(directory))
      const two = await copy(again, 'a/b', { keys: one.keys })
      t.equal((await texts(two)).length, 10, directory)
      await two.close()
      t.equal(await again.end('SIGTERM'), 0, again.messages())
    }
  },
)

t.test('without accounts it makes no chain, and says what to type', async (t) => {
  const server = await startAtedb(t, cliWorld(t))
  const peer = await asking(server)
  await t.rejects(peer.request(0, 'create', { chain: 'a', ...CHAIN }), {
    code: 'NOT_AUTHORIZED',
    message: /no accounts yet.*atedb --no-auth solo/,
  })
  await t.rejects(peer.request(0, 'open', { chain: 'a' }), { code: 'CHAIN_NOT_FOUND' })
  await peer.close()
})

t.test('a server of distributed trust makes chains of that trust, without asking anybody', async (t) => {
  const server = await startAtedb(t, cliWorld(t), ['-l', '127.0.0.1', '-t', 'distributed'])
  const peer = await asking(server)
  t.equal(await failure(peer.request(0, 'create', { chain: 'a', ...CHAIN })), 'BAD_ARGUMENT')
  const made = await peer.request(0, 'create', { chain: 'a', ...CHAIN, trust: 'distributed' })
  t.equal(made.trust, 'distributed')
  await peer.close()
})

t.test('of several servers each has its chains, and says which other one has the rest', async (t) => {
  const world = cliWorld(t)
  const list = world.path('nodes')
  writeFileSync(list, '192.0.2.1:5000\n192.0.2.2:5001\n192.0.2.3:5000\n')
  const server = await startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth', '--nodes-list', list, '-n', '1'])
  const peer = await asking(server)
  const answers = new Map<string, number>()
  for (let i = 0; i < 30; i++) {
    const answer = await peer.request(0, 'create', { chain: `chain ${i}`, ...CHAIN }).then(
      () => 'made',
      (error: unknown) => failureDetail(error)?.server ?? String(error),
    )
    answers.set(answer, (answers.get(answer) ?? 0) + 1)
  }
  t.same([...answers.keys()].sort(), ['192.0.2.1:5000', '192.0.2.3:5000', 'made'])
  for (const [answer, count] of answers) t.ok(count >= 3, `${answer}: ${count}`)
  await peer.close()
  await t.rejects(startAtedb(t, cliWorld(t), ['-l', '127.0.0.1', '--nodes-list', list]), {
    message: /exit code 2: .*--node-id/s,
  })
})
