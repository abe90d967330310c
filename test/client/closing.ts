/** What is under way while a chain of a server is closed that does not answer: each call says so, and closing is bounded. */
import t, { type Test } from 'tap'
import { dialWebSocket } from '../../src/adapters/node/web-socket/connect.js'
import { listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import { ChaosProxy } from '../helpers/chaos/proxy.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually, type Machine, machine, type MachineOptions, Note, store } from '../helpers/remote-chains.js'
import { failure } from '../helpers/wire.js'

const PATIENCE_MS = 300
const LIMIT_MS = 8000
const TEXT = 'x'.repeat(100_000)

interface Way {
  readonly server: TestServer
  readonly proxy: ChaosProxy
  readonly join: (options?: MachineOptions) => Promise<Machine>
}

async function wayTo(t: Test): Promise<Way> {
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
  const served = { dial, chains: server.stores.chains }
  return { server, proxy, join: (options) => machine(served, { patienceMs: PATIENCE_MS, ...options }) }
}

type Outcome = 'CHAIN_CLOSED' | 'TIMED_OUT'

/** What is asked of a server that is silent is waited for as long as closing waits for it. */
const faults: Readonly<Record<string, readonly [fault: (proxy: ChaosProxy) => void, asked: Outcome]>> = {
  'is silent': [(proxy) => proxy.stall(), 'TIMED_OUT'],
  'is away': [(proxy) => proxy.part(), 'CHAIN_CLOSED'],
}

for (const [what, [fault, asked]] of Object.entries(faults))
  await t.test(`a load, a commit, a lock and a barrier end with the chain, whose server ${what}`, async (t) => {
    const { proxy, join } = await wayTo(t)
    const one = await join()
    const { key } = await store(one, TEXT)
    await one.remote.accepted()
    const { keys } = one
    const strict = { keys, recoveryMode: 'sync', patienceMs: 4 * PATIENCE_MS } as const
    const [waiting, barred, locking, lazy] = await Promise.all([
      join(strict),
      join(strict),
      join(strict),
      join({ keys, isLazy: true, patienceMs: 4 * PATIENCE_MS }),
    ])
    fault(proxy)
    const began = performance.now()
    const note = { text: 'new' }
    const calls = {
      'commit that waits for the server': failure(
        one.chain.transact((dio) => dio.store(note, { type: Note }), { durability: 'server' }),
      ),
      'commit that waits for the turn': failure(waiting.chain.transact((dio) => dio.store(note, { type: Note }))),
      barrier: failure(barred.chain.refresh()),
      lock: failure(locking.chain.lock('door')),
      'fetch of a body': failure(lazy.chain.dio().load(Note, key)),
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
    const machines = [one, waiting, barred, locking, lazy]
    await Promise.all(machines.map((each) => each.close()))
    const outcomes = await Promise.all(Object.entries(calls).map(async ([call, code]) => [call, await code]))
    t.strictSame(Object.fromEntries(outcomes), {
      'commit that waits for the server': 'CHAIN_CLOSED',
      'commit that waits for the turn': asked,
      barrier: asked,
      lock: asked,
      'fetch of a body': 'CHAIN_CLOSED',
    })
    t.ok(performance.now() - began < LIMIT_MS, `in ${Math.round(performance.now() - began)} ms`)
  })

await t.test('a barrier whose connection is lost asks again on the next one, and nobody hears of it', async (t) => {
  const { proxy, join } = await wayTo(t)
  const one = await join()
  await store(one, 'first')
  await one.remote.accepted()
  const strict = await join({ keys: one.keys, recoveryMode: 'sync', patienceMs: 5000 })
  for (let round = 0; round < 5; round++) {
    proxy.stall()
    const refreshed = failure(strict.chain.refresh())
    await new Promise((resolve) => setTimeout(resolve, 20))
    proxy.cut()
    proxy.heal()
    t.equal(await refreshed, 'resolved')
  }
  for (const each of [strict, one]) await each.close()
})

await t.test(
  'a server that is silent is waited for once: who asks next is told at once, until it speaks again',
  async (t) => {
    const { proxy, join } = await wayTo(t)
    const one = await join()
    const strict = await join({ keys: one.keys, recoveryMode: 'sync' })
    proxy.stall()
    t.equal(await failure(strict.chain.refresh()), 'TIMED_OUT')
    const began = performance.now()
    t.equal(await failure(strict.chain.refresh()), 'TIMED_OUT')
    t.ok(performance.now() - began < PATIENCE_MS / 2, `in ${Math.round(performance.now() - began)} ms`)
    proxy.heal()
    await eventually(async () => (await failure(strict.chain.refresh())) === 'resolved')
    for (const each of [strict, one]) await each.close()
  },
)
