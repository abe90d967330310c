import t from 'tap'
import { COMMIT_BYTES, CommitScheduler } from '../../../../src/fs/vfs/commits/commit-scheduler.js'
import { ManualTimer } from '../../../helpers/open-memory-fs.js'

function setUp(): { timer: ManualTimer; scheduler: CommitScheduler; commits: () => number; durable: boolean[] } {
  const durable: boolean[] = []
  const timer = new ManualTimer()
  const scheduler: CommitScheduler = new CommitScheduler(timer, (isDurable) => {
    durable.push(isDurable)
    scheduler.committed(isDurable)
  })
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
