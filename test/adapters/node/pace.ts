import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { paced } from '../../../src/adapters/node/pace.js'

t.test('of many reports the first, the last and a few a second are handed on', async (t) => {
  const reports: number[] = []
  const report = paced((doneBytes) => reports.push(doneBytes))
  for (let done = 1; done <= 1000; done++) report(done, 2000)
  t.same(reports, [1])
  await sleep(220)
  for (let done = 1001; done <= 1999; done++) report(done, 2000)
  t.same(reports, [1, 1001])
  report(2000, 2000)
  t.same(reports, [1, 1001, 2000])
})
