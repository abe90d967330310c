/** What is under way while a chain of a server is closed that does not answer: each call says so, and closing is bounded. */
import t, { type Test } from 'tap'
import type { ChaosProxy } from '../helpers/chaos/proxy.js'
import { serverBehindProxy } from '../helpers/chaos/server-behind-proxy.js'
import { eventually, type Machine, machine, type MachineOptions, Note, store } from '../helpers/remote-chains.js'
import { failure } from '../helpers/wire.js'

const PATIENCE_MS = 300
const LIMIT_MS = 8000
const TEXT = 'x'.repeat(100_000)

interface Way {
  readonly proxy: ChaosProxy
  readonly join: (options?: MachineOptions) => Promise<Machine>
}

async function wayTo(t: Test): Promise<Way> {
  const { proxy, served } = await serverBehindProxy(t)
  const join: Way['join'] = async (options) => {
    const joined = await machine(served, { patienceMs: PATIENCE_MS, ...options })
    t.teardown(() => joined.close())
    return joined
  }
  return { proxy, join }
}

type Outcome = 'CHAIN_CLOSED' | 'TIMED_OUT'

interface Fault {
  readonly begin: (proxy: ChaosProxy) => void
  /** Of what is asked of the server. */
  readonly asked: Outcome
  readonly patienceMs: number
}

const faults: Readonly<Record<string, Fault>> = {
  // What is asked is waited for as long as closing waits for it.
  'is silent': { begin: (proxy) => proxy.stall(), asked: 'TIMED_OUT', patienceMs: 2 * PATIENCE_MS },
  // Closing waits for nobody, and comes before anybody loses patience.
  'is away': { begin: (proxy) => proxy.part(), asked: 'CHAIN_CLOSED', patienceMs: LIMIT_MS },
}

for (const [what, { begin, asked, patienceMs }] of Object.entries(faults))
  await t.test(`a load, a commit, a lock and a barrier end with the chain, whose server ${what}`, async (t) => {
    const { proxy, join } = await wayTo(t)
    const one = await join({ patienceMs })
    const { key } = await store(one, TEXT)
    await one.remote.accepted()
    const { keys } = one
    const strict = { keys, recoveryMode: 'sync', patienceMs } as const
    const [waiting, barred, locking, lazy] = await Promise.all([
      join(strict),
      join(strict),
      join(strict),
      join({ keys, isLazy: true, patienceMs }),
    ])
    begin(proxy)
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
    const machines = [one, waiting, barred, locking, lazy]
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (asked === 'CHAIN_CLOSED') await eventually(() => machines.every(({ remote }) => !remote.status().isConnected))
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
})

for (const everything of [false, true])
  await t.test(
    `a server that is silent is waited for once: who asks next is told at once, until it speaks again (${everything ? 'everything' : 'what is committed'})`,
    async (t) => {
      const { proxy, join } = await wayTo(t)
      const one = await join()
      const patienceMs = 4 * PATIENCE_MS
      const strict = await join({ keys: one.keys, recoveryMode: 'sync', patienceMs })
      const ask = (): Promise<string> => failure(strict.remote.refresh({ everything }))
      proxy.stall()
      t.equal(await ask(), 'TIMED_OUT')
      const began = performance.now()
      t.equal(await ask(), 'TIMED_OUT')
      t.ok(performance.now() - began < patienceMs / 2, `in ${Math.round(performance.now() - began)} ms`)
      proxy.heal()
      await eventually(async () => (await ask()) === 'resolved')
    },
  )
