/** Several copies of a chain that one server keeps: each sees what the others commit, and they change it in turns. */
import t from 'tap'
import { Relay } from '../helpers/relay.js'
import { eventually, type Machine, machine, NAME, store, texts } from '../helpers/remote-chains.js'

const endOf = ({ remote }: Machine): number => remote.status().headSequence

await t.test('what one commits the other sees, and both commit in turns', async (t) => {
  const relay = new Relay()
  const one = await machine(relay)
  await store(one, 'first')
  const other = await machine(relay, { keys: one.keys })
  t.strictSame(await texts(other), ['first'], 'all that there was is there when it is open')
  await store(other, 'second')
  await eventually(() => endOf(one) === 2)
  t.strictSame(await texts(one), ['first', 'second'])
  t.equal(other.remote.status().hasTurn, true)
  t.equal(one.remote.status().hasTurn, false)
  await one.close()
  await other.close()
  t.equal(relay.peers.size, 0)
})

await t.test('five that write at once make one history without gaps or repeats', async (t) => {
  const relay = new Relay()
  const first = await machine(relay)
  const rest = await Promise.all([1, 2, 3, 4].map(() => machine(relay, { keys: first.keys })))
  const all = [first, ...rest]
  await Promise.all(
    all.map(async (each, i) => {
      for (let round = 0; round < 10; round++) await store(each, `${i}-${round}`)
    }),
  )
  await Promise.all(all.map(({ remote }) => remote.accepted()))
  const { batches = [] } = relay.chains.get(NAME) ?? {}
  t.strictSame(
    batches.map(({ end }) => end.sequence),
    batches.map((_, i) => i + 1),
  )
  await eventually(() => all.every((each) => endOf(each) === batches.length))
  const found = await Promise.all(all.map(texts))
  for (const each of found) t.strictSame(each, found[0])
  t.equal(new Set(found[0]).size, 50, 'each note once')
  await Promise.all(all.map((each) => each.close()))
})
