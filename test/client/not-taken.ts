/** What a server does not take this once is brought again. */
import t from 'tap'
import { Relay } from '../helpers/relay.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually, machine, NAME, store, texts } from '../helpers/remote-chains.js'

for (const code of ['LAGGED', 'NO_SPACE', 'WRITE_FAILED'] as const)
  await t.test(`${code} of what was committed here: it is brought again, once`, async (t) => {
    const relay = new Relay()
    const one = await machine(relay, { patienceMs: 10_000 })
    relay.refusesWith = code
    await store(one, 'first')
    await store(one, 'second')
    await eventually(() => !one.remote.status().isConnected || !one.remote.status().hasTurn)
    t.equal(one.remote.status().serverSequence, 0)
    relay.refusesWith = undefined
    await one.remote.accepted()
    await store(one, 'third')
    await one.remote.accepted()
    t.strictSame(
      relay.chains.get(NAME)?.batches.map(({ end }) => end.sequence),
      Array.from({ length: one.remote.status().headSequence }, (_, i) => i + 1),
    )
    await one.close()
  })

await t.test('what is too much for the memory of a server at once comes in the end', async (t) => {
  const server = new TestServer({ heldBytes: 300_000 })
  const first = await machine(server, { patienceMs: 10_000 })
  const rest = await Promise.all([1, 2].map(() => machine(server, { keys: first.keys, patienceMs: 10_000 })))
  const all = [first, ...rest]
  const long = (name: string): string => name.padEnd(200_000, 'x')
  const names = all.map((_, i) => long(`${i}`))
  await Promise.all(all.map((each, i) => store(each, names[i] ?? '')))
  await Promise.all(all.map(({ remote }) => remote.accepted()))
  for (const each of all) await eventually(async () => (await texts(each)).length === 3)
  for (const each of all) t.strictSame(await texts(each), names)
  for (const each of all) await each.close()
  await server.close()
})
