import t from 'tap'
import { nodeTimers } from '../../../src/adapters/node/node-timers.js'
import { middleman } from '../../helpers/middleman.js'
import { connected, take } from '../../helpers/wire.js'

t.test('what promises send that settle together shares a frame', async (t) => {
  const man = middleman()
  const { client, server } = await connected({ timers: nodeTimers }, {}, [man.client, man.server])
  const before = man.seen.client.length
  const settled = Promise.resolve()
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      for (let depth = 0; depth < i % 5; depth++) await settled
      client.send(i)
    }),
  )
  await take(server, 50)
  t.equal(man.seen.client.length - before, 1)
  await client.close()
})

t.test('a timer that was given up does not run', async (t) => {
  let runs = 0
  const giveUp = nodeTimers.after(1, () => runs++)
  giveUp()
  await new Promise<void>((resolve) => void nodeTimers.after(5, resolve))
  t.equal(runs, 0)
})
