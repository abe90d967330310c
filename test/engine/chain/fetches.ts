/** Pieces that are on their way into memory: nobody goes on with it before the last has come. */
import t from 'tap'
import { Fetches } from '../../../src/engine/chain/fetches.js'

t.test('what fails at once is thrown at once, while nothing is on its way', (t) => {
  const fetches = new Fetches()
  t.throws(() =>
    fetches.add(() => {
      throw new Error('damaged')
    }),
  )
  t.ok(fetches.isEmpty)
  t.end()
})

for (const fails of ['later', 'at once'] as const)
  t.test(`one that fails ${fails} is told when the last has come`, async (t) => {
    const fetches = new Fetches()
    const events: string[] = []
    let comes: () => void = () => undefined
    fetches.add(() => new Promise<void>((resolve) => (comes = resolve)).then(() => void events.push('came')))
    fetches.add(() => {
      if (fails === 'at once') throw new Error('damaged')
      return Promise.reject(new Error('damaged'))
    })
    fetches.add(() => undefined)
    t.notOk(fetches.isEmpty)
    const settled = fetches.settled().catch((error: unknown) => {
      events.push(error instanceof Error ? error.message : 'else')
    })
    await new Promise((resolve) => setTimeout(resolve))
    t.same(events, [])
    comes()
    await settled
    t.same(events, ['came', 'damaged'])
  })
