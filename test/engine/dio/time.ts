/** Times of objects: later ones are greater, whatever clocks do, and stay close to them. */
import t from 'tap'
import { infoOf } from '../../../src/engine/dio/dao-state.js'
import {
  decodeClock,
  encodeClock,
  HybridClock,
  latestAfter,
  millisecondsOf,
} from '../../../src/engine/dio/hybrid-clock.js'
import { WallClock } from '../../../src/engine/dio/wall-clock.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { fuzzDecoder } from '../../helpers/fuzz-decoder.js'
import { keys } from '../../helpers/log-workbench.js'
import { memoryChain, Note } from '../../helpers/objects.js'

const T0 = 1_800_000_000_000
const HOUR = 3_600_000

t.test('each time is greater than those before, while the wall clock stands still and goes back', (t) => {
  let now = T0
  const clock = new HybridClock(() => now)
  let last = 0
  for (const step of [0, 0, 1, -HOUR, 0, 5, HOUR + 10]) {
    now += step
    const time = clock.next()
    t.ok(time > last)
    last = time
  }
  t.equal(millisecondsOf(last), now, 'and it is the wall clock’s again as soon as that can be')
  clock.observe(last + 1_000_000)
  t.ok(clock.next() > last + 1_000_000)
  t.end()
})

await t.test(
  'a chain that is opened again goes on behind what it holds, though the wall clock was set back',
  async (t) => {
    let now = T0
    const options = { storage: new MemoryStorage(), store: new MemoryStore(), keys, clock: () => now }
    const first = await memoryChain(options)
    const { key } = await first.transact((dio) => dio.store({ text: 'before' }, { type: Note }))
    const before = infoOf(await first.dio().load(Note, key)).updatedAt
    t.equal(before?.getTime(), T0)
    await first.close()
    now -= HOUR
    for (const store of [options.store, new MemoryStore()]) {
      const again = await memoryChain({ ...options, store })
      t.equal(again.latestMs, T0, store === options.store ? 'from the index' : 'from the log')
      await again.transact(async (dio) => ((await dio.load(Note, key)).text += '.'))
      const { createdAt, updatedAt } = infoOf(await again.dio().load(Note, key))
      t.equal(createdAt?.getTime(), T0)
      t.equal(updatedAt?.getTime(), T0)
      await again.close()
    }
    now += 2 * HOUR
    await using later = await memoryChain(options)
    t.equal(later.latestMs, T0)
    await later.transact(async (dio) => ((await dio.load(Note, key)).text += '!'))
    t.equal(infoOf(await later.dio().load(Note, key)).updatedAt?.getTime(), now, 'the wall clock is right again')
  },
)

await t.test('what only moves or deletes objects leaves no time behind either', async (t) => {
  let now = T0
  const options = { storage: new MemoryStorage(), keys, clock: () => now }
  const chain = await memoryChain(options)
  const one = await chain.transact((dio) => dio.store({ text: 'one' }, { type: Note }))
  now += HOUR
  await chain.transact((dio) => dio.delete(one.key))
  await chain.transact((dio) => dio.store({ text: 'two' }, { type: Note }))
  await chain.close()
  now -= 2 * HOUR
  await using again = await memoryChain(options)
  t.equal(again.latestMs, T0 + HOUR)
})

t.test('a wall clock beyond the year 2100 is not believed: times count on from there', (t) => {
  const clock = new HybridClock(() => Number.MAX_SAFE_INTEGER)
  const first = clock.next()
  t.equal(new Date(millisecondsOf(first)).toISOString(), '2100-01-01T00:00:00.000Z')
  t.equal(clock.next(), first + 1)
  t.ok(clock.last < latestAfter(0))
  t.end()
})

t.test('a time of others may lie ahead by the tolerance, and no more', (t) => {
  const clock = new HybridClock(() => T0, 1000)
  const at = (ms: number): number => ms * 2048
  clock.demandTolerable(at(0))
  clock.demandTolerable(at(T0 + 1000))
  t.throws(() => clock.demandTolerable(at(T0 + 1001)), { code: 'TIME_AHEAD' })
  t.throws(() => clock.demandTolerable(Number.MAX_SAFE_INTEGER), { code: 'TIME_AHEAD' })
  t.ok(clock.next() < at(T0 + 1), 'what was refused has left no trace')
  t.end()
})

t.test('corrections of the wall clock within the tolerance are taken, others are told of once', (t) => {
  const doubts: number[] = []
  const clock = new WallClock({ machineMs: () => T0, toleranceMs: 1000, onDoubt: (offsetMs) => doubts.push(offsetMs) })
  t.equal(clock.nowMs(), T0)
  t.ok(clock.correct(-400))
  t.equal(clock.nowMs(), T0 - 400)
  for (const absurd of [5000, 5001, -HOUR, NaN, Infinity]) t.notOk(clock.correct(absurd))
  t.equal(clock.nowMs(), T0 - 400)
  t.strictSame(doubts, [5000])
  t.ok(clock.correct(0))
  t.notOk(clock.correct(7000))
  t.strictSame(doubts, [5000, 7000])
  t.end()
})

await t.test('the record of the clock is read back, and nothing else is taken for one', (t) => {
  t.equal(decodeClock(encodeClock(3_619_278_028_800_000)), 3_619_278_028_800_000)
  t.throws(() => decodeClock(Uint8Array.of()), { code: 'BAD_FORMAT' })
  t.throws(() => decodeClock(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0)), { code: 'BAD_FORMAT' })
  fuzzDecoder(t, [encodeClock(1), encodeClock(2 ** 52)], decodeClock, encodeClock)
  t.end()
})
