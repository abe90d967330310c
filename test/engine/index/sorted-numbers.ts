import fc from 'fast-check'
import t from 'tap'
import { SortedNumbers } from '../../../src/engine/index/sorted-numbers.js'

await t.test('it is a sorted set, whatever is added and deleted', async (t) => {
  const step = fc.record({ add: fc.boolean(), value: fc.integer({ min: 0, max: 3000 }) })
  fc.assert(
    fc.property(fc.array(fc.nat(3000)), fc.array(step, { maxLength: 4000, minLength: 1000 }), (initial, steps) => {
      const model = new Set(initial)
      const sorted = new SortedNumbers(model)
      for (const { add, value } of steps) {
        if (add) model.add(value)
        else model.delete(value)
        if (add) sorted.add(value)
        else sorted.delete(value)
      }
      const values = [...model].sort((a, b) => a - b)
      t.strictSame(sorted.from(0, 10_000), values)
      for (const at of [0, 1, 1500, 2999, 5000]) {
        t.equal(sorted.floor(at), values.filter((value) => value <= at).at(-1))
        t.strictSame(sorted.from(at, 5), values.filter((value) => value >= at).slice(0, 5))
      }
    }),
    { seed: 20261121, numRuns: 20 },
  )
})

await t.test('numbers added in ascending and descending order come back in order', (t) => {
  const up = Array.from({ length: 5000 }, (_, i) => i)
  const sorted = new SortedNumbers()
  for (const value of up) sorted.add(value)
  t.strictSame(sorted.from(0, 5000), up)
  const reversed = new SortedNumbers()
  for (const value of up.toReversed()) reversed.add(value)
  t.strictSame(reversed.from(0, 5000), up)
  t.end()
})
