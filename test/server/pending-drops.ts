/** What is dropped is gathered: one pass at a time, whatever is asked, and none any more when the chain closes. */
import t from 'tap'
import type { NumberRange } from '../../src/engine/log/types.js'
import { mergedRanges } from '../../src/engine/log/merged-ranges.js'
import { type Passes, PendingDrops } from '../../src/server/pending-drops.js'
import { settled } from '../helpers/wire.js'

t.test('what comes while a pass is under way goes into one that follows', async (t) => {
  const passes: (readonly NumberRange[])[] = []
  const goOn: (() => void)[] = []
  const free: Passes['free'] = async (numbers, signal) => {
    passes.push(numbers)
    await new Promise<void>((resolve) => {
      goOn.push(resolve)
      signal.addEventListener('abort', () => resolve())
    })
    return true
  }
  const drops = new PendingDrops({ free, done: () => Promise.resolve() })
  await drops.add([{ from: 1, to: 5 }])
  await settled()
  for (let i = 100; i < 1100; i++) await drops.add([{ from: i, to: i }])
  await drops.add([{ from: 10, to: 20 }])
  t.strictSame(passes, [[{ from: 1, to: 5 }]])
  goOn.shift()?.()
  await settled()
  t.strictSame(passes.slice(1), [
    [
      { from: 10, to: 20 },
      { from: 100, to: 1099 },
    ],
  ])
  // More than is kept: it waits.
  const many = (first: number): NumberRange[] =>
    Array.from({ length: 40_000 }, (_, i) => ({ from: first + 2 * i, to: first + 2 * i }))
  await drops.add(many(10_000))
  const noted: string[] = []
  const waiting = drops.add(many(1_000_000)).then(() => noted.push('noted'))
  await settled()
  t.strictSame(noted, [])
  goOn.shift()?.()
  await settled()
  t.equal(passes.length, 3)
  await drops.close()
  await waiting
  t.equal(passes.length, 3, 'no pass after the end')
})

t.test(
  'what could not be given back is tried again with what comes next, and nothing is told as done before',
  async (t) => {
    const passes: (readonly NumberRange[])[] = []
    const done: number[] = []
    let isFull = true
    const free: Passes['free'] = async (numbers) => {
      passes.push(numbers)
      return !isFull
    }
    const drops = new PendingDrops({ free, done: async (upTo) => void done.push(upTo) })
    await drops.add([{ from: 1, to: 5 }], 3)
    await settled()
    t.strictSame(done, [])
    isFull = false
    await drops.add([{ from: 6, to: 9 }], 4)
    await settled()
    t.strictSame(passes, [[{ from: 1, to: 5 }], [{ from: 1, to: 9 }]])
    t.strictSame(done, [4])
    await drops.close()
  },
)

t.test('ranges are merged', (t) => {
  const merged = mergedRanges([
    { from: 7, to: 9 },
    { from: 1, to: 3 },
    { from: 4, to: 5 },
    { from: 8, to: 20 },
  ])
  t.strictSame(merged, [
    { from: 1, to: 5 },
    { from: 7, to: 20 },
  ])
  t.end()
})
