import * as fc from 'fast-check'
import t from 'tap'
import { ReferenceCounts } from '../../../../src/fs/vfs/inodes/reference-counts.js'

t.test('counts like a map, also for numbers that share slots', async () => {
  const ino = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(2 ** 32 + 5, 2 ** 40, 2 ** 53 - 1))
  const step = fc.record({ ino, count: fc.integer({ min: 1, max: 3 }), isAdd: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const counts = new ReferenceCounts()
      const model = new Map<number, number>()
      for (const { ino, count, isAdd } of steps) {
        const known = model.get(ino) ?? 0
        const expected = isAdd ? known + count : Math.max(0, known - count)
        if (isAdd) counts.add(ino, count)
        else if (counts.subtract(ino, count) !== expected) return false
        if (expected === 0) model.delete(ino)
        else model.set(ino, expected)
      }
      return counts.size === model.size && [...model].every(([key, value]) => counts.get(key) === value)
    }),
    { seed: 1, numRuns: 300 },
  )
})

t.test('grows and shrinks with what it holds', async (t) => {
  const counts = new ReferenceCounts()
  const numbers = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? i + 1 : 2 ** 40 + i))
  for (const ino of numbers) counts.add(ino, 2)
  t.equal(counts.size, numbers.length)
  t.ok(numbers.every((ino) => counts.get(ino) === 2))
  for (const ino of numbers) counts.subtract(ino, 1)
  t.ok(numbers.every((ino) => counts.get(ino) === 1))
  for (const ino of numbers) counts.subtract(ino, 1)
  t.equal(counts.size, 0)
  t.equal(counts.get(1), 0)
  t.equal(counts.subtract(1, 1), 0, 'a release too many is ignored')
})
