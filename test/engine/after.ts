/** Timers of any length. */
import { mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { after } from '../../src/engine/after.js'

await t.test('a timer runs once, or not when it is stopped', async (t) => {
  const ran: string[] = []
  after(1, () => ran.push('on'))
  after(1, () => ran.push('stopped'))()
  await sleep(20)
  t.strictSame(ran, ['on'])
})

await t.test('one that is longer than the platform’s does not run at once', async (t) => {
  const ran: number[] = []
  const stops = [2 ** 31, 2 ** 40, Number.MAX_VALUE, Infinity].map((ms) => after(ms, () => ran.push(ms)))
  await sleep(20)
  t.strictSame(ran, [])
  for (const stop of stops) stop()
})

await t.test('but when its time has come, and may be stopped until then', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const ran: string[] = []
  const stepMs = 2 ** 31 - 1
  after(2 * stepMs + 10, () => ran.push('on'))
  const stop = after(2 * stepMs + 10, () => ran.push('stopped'))
  mock.timers.tick(stepMs)
  stop()
  mock.timers.tick(stepMs)
  mock.timers.tick(9)
  t.strictSame(ran, [])
  mock.timers.tick(1)
  t.strictSame(ran, ['on'])
})
