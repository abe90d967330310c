/** What a server does not take this once is brought again. */
import t from 'tap'
import { Relay } from '../helpers/relay.js'
import { eventually, machine, NAME, store } from '../helpers/remote-chains.js'

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
