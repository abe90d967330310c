/** What nobody holds any more is known to be gone after a collection. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { collectGarbage } from '../../../src/adapters/node/collect-garbage.js'

await t.test('an object that nobody holds is gone, one that somebody holds is not', async (t) => {
  const held = { name: 'held' }
  const references = [new WeakRef(held), new WeakRef({ name: 'not held' })]
  await nextTurn()
  collectGarbage()
  collectGarbage()
  t.same(
    references.map((reference) => reference.deref()?.name),
    ['held', undefined],
  )
  t.equal(held.name, 'held')
})
