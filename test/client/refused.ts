/** What this side committed and the server does not take, and would not another time: it is told by name, and nothing goes on behind it. */
import t from 'tap'
import { Relay } from '../helpers/relay.js'
import { machine, Note, store, texts } from '../helpers/remote-chains.js'

for (const code of ['BAD_SIGNATURE', 'BATCH_REFUSED'] as const)
  await t.test(`a batch that is refused with ${code} ends the following, not the reading`, async (t) => {
    const relay = new Relay()
    const one = await machine(relay)
    await store(one, 'first')
    await one.remote.accepted()
    const other = await machine(relay, { keys: one.keys })
    relay.refusesWith = code
    const second = one.chain.transact((dio) => dio.store({ text: 'second' }, { type: Note }), { durability: 'server' })
    const why = { code, message: 'The server refuses batch 2: No.', hint: /lies in this copy only/ }
    await t.rejects(second, why)
    t.match(one.remote.status(), { isConnected: false, hasTurn: false, serverSequence: 1, problem: { code } })
    await t.rejects(store(one, 'third'), why, 'it is not tried again')
    t.strictSame(await texts(one), ['first', 'second'], 'what is here is read')
    relay.refusesWith = undefined
    await store(other, 'by others')
    t.strictSame(await texts(other), ['by others', 'first'], 'others go on')
    for (const each of [one, other]) await each.close()
  })
