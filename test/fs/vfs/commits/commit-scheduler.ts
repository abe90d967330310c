import t from 'tap'
import { COMMIT_BYTES, CommitScheduler, SHARED } from '../../../../src/fs/vfs/commits/commit-scheduler.js'
import { ManualTimer } from '../../../helpers/open-memory-fs.js'

function setUp(cadence?: typeof SHARED): {
  timer: ManualTimer
  scheduler: CommitScheduler
  commits: () => number
  durable: boolean[]
} {
  const durable: boolean[] = []
  const timer = new ManualTimer()
  const scheduler: CommitScheduler = new CommitScheduler(
    timer,
    (isDurable) => {
      durable.push(isDurable)
      scheduler.committed(isDurable)
    },
    cadence,
  )
  return { timer, scheduler, commits: () => durable.length, durable }
}

t.test('commits after 200 ms without changes', async (t) => {
  const { timer, scheduler, commits } = setUp()
  scheduler.changed(1)
  t.equal(timer.delayMs, 100)
  timer.fire()
  timer.fire()
  t.equal(commits(), 0)
  timer.fire()
  t.equal(commits(), 1, 'two ticks in which nothing happened')
  t.notOk(timer.isRunning, 'no timer runs while nothing is pending')
})

t.test('commits after one second at most while changes keep coming', async (t) => {
  const { timer, scheduler, commits } = setUp()
  for (let tick = 1; tick <= 9; tick++) {
    scheduler.changed(1)
    timer.fire()
  }
  t.equal(commits(), 0)
  scheduler.changed(1)
  timer.fire()
  t.equal(commits(), 1)
})

t.test('commits at once when much is pending', async (t) => {
  const { scheduler, commits } = setUp()
  scheduler.changed(COMMIT_BYTES - 1)
  t.equal(commits(), 0)
  scheduler.changed(COMMIT_BYTES)
  t.equal(commits(), 1)
  for (let i = 0; i < 16_384; i++) scheduler.changed(1)
  t.equal(commits(), 2, 'many small changes count, too')
})

t.test('what was committed for its size alone is made durable within a second', async (t) => {
  const { timer, scheduler, durable } = setUp()
  for (let tick = 1; tick <= 9; tick++) {
    scheduler.changed(COMMIT_BYTES)
    timer.fire()
  }
  t.notOk(durable.includes(true))
  timer.fire()
  t.equal(durable.at(-1), true)
  t.notOk(timer.isRunning)
})

t.test('what was committed for its size alone is made durable when nothing more happens', async (t) => {
  const { timer, scheduler, durable } = setUp()
  scheduler.changed(COMMIT_BYTES)
  for (let tick = 1; tick <= 3 && timer.isRunning; tick++) timer.fire()
  t.strictSame(durable, [false, true])
  t.notOk(timer.isRunning)
})

t.test('a commit that was asked for starts the waiting anew', async (t) => {
  const { timer, scheduler, commits } = setUp()
  scheduler.changed(1)
  timer.fire()
  scheduler.committed(true)
  timer.fire()
  t.equal(commits(), 0)
  t.notOk(timer.isRunning)
  scheduler.changed(1)
  t.ok(timer.isRunning)
})

t.test('nothing happens after closing', async (t) => {
  const { timer, scheduler, commits } = setUp()
  scheduler.changed(1)
  scheduler.close()
  t.notOk(timer.isRunning)
  scheduler.changed(1)
  t.notOk(timer.isRunning)
  t.equal(commits(), 0)
})

t.test('where others wait it is in the log within 60 ms, and durable within a second', async (t) => {
  const { timer, scheduler, durable } = setUp(SHARED)
  const marks: number[] = []
  for (let ms = 0; ms < 1000; ms += timer.delayMs) {
    scheduler.changed(1)
    const before = durable.length
    timer.fire()
    if (durable.length > before) marks.push(ms + SHARED.tickMs)
  }
  t.ok(
    marks.every((ms, i) => ms - (marks[i - 1] ?? 0) <= 60),
    marks.join(),
  )
  t.equal(marks.at(-1), 1000)
  t.strictSame(durable, [...Array<boolean>(marks.length - 1).fill(false), true])
})

t.test('where others wait it is in the log as soon as nothing more happens, and durable soon after', async (t) => {
  const { timer, scheduler, durable } = setUp(SHARED)
  scheduler.changed(1)
  let ticks = 0
  while (durable.length === 0 && ticks < 50) {
    timer.fire()
    ticks++
  }
  t.equal(ticks, 2, 'a tick in which nothing happened')
  for (; timer.isRunning && ticks < 50; ticks++) timer.fire()
  t.strictSame(durable, [false, true])
  t.ok(ticks * SHARED.tickMs <= 300, `after ${ticks} ticks`)
})
