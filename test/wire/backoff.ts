import t from 'tap'
import { Backoff } from '../../src/wire/backoff.js'
import { seededRandom } from '../helpers/seeded-random.js'

t.test('waits double up to the longest', async (t) => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 0 })
  t.same(
    [0, 0, 0, 0, 0, 0].map((lasted) => backoff.next(lasted)),
    [100, 200, 400, 800, 1000, 1000],
  )
  for (let i = 0; i < 3000; i++) if (backoff.next(0) !== 1000) t.fail('a wait that is none')
})

t.test('an outage of hours does not make waits short again; only a connection that lasted does', async (t) => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000, steadyMs: 5000, random: () => 0 })
  for (let i = 0; i < 10; i++) backoff.next(0)
  t.equal(backoff.next(4999), 1000, 'it came about, and broke at once')
  t.equal(backoff.next(5000), 100)
  t.equal(backoff.next(0), 200)
})

t.test('clients that lost their server together do not come back together', async (t) => {
  const random = seededRandom(1)
  const waits = Array.from({ length: 200 }, () => {
    const backoff = new Backoff({ firstMs: 1000, random })
    backoff.next(0)
    return backoff.next(0)
  })
  t.ok(waits.every((wait) => wait > 1000 && wait <= 2000))
  const perTenth = Array.from(
    { length: 10 },
    (_, i) => waits.filter((wait) => Math.floor((wait - 1000) / 100.001) === i).length,
  )
  t.ok(Math.max(...perTenth) < 45, perTenth.join(' '))
})
