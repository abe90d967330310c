import t from 'tap'
import { WallClock } from '../../../src/fs/vfs/clock.js'

function setUp(): { clock: WallClock; wall: (ms: number) => void; pass: (ms: number) => void; nowMs: () => number } {
  let wallMs = 1_700_000_000_000
  let monotonicMs = 5000
  const clock = new WallClock(
    () => Math.floor(wallMs),
    () => monotonicMs,
  )
  return {
    clock,
    wall: (ms) => void (wallMs += ms),
    pass: (ms) => {
      wallMs += ms
      monotonicMs += ms
    },
    nowMs: () => {
      clock.tick()
      return clock.sec * 1000 + clock.nsec / 1e6
    },
  }
}

t.test('has a finer resolution than the wall clock', async (t) => {
  const { pass, nowMs } = setUp()
  const first = nowMs()
  pass(0.25)
  t.equal(nowMs() - first, 0.25)
})

t.test('follows the wall clock when it is set', async (t) => {
  const { wall, nowMs } = setUp()
  const first = nowMs()
  wall(3_600_000)
  t.equal(nowMs() - first, 3_600_000)
  wall(-7_200_000)
  t.equal(nowMs() - first, -3_600_000)
})

t.test('stands still rather than going back a little', async (t) => {
  const { wall, pass, nowMs } = setUp()
  const first = nowMs()
  wall(-100)
  t.equal(nowMs(), first)
  pass(60)
  t.equal(nowMs(), first)
  pass(60)
  t.equal(nowMs() - first, 20)
})

t.test('nanoseconds stay below a second, also before 1970', async (t) => {
  const clock = new WallClock(
    () => -1,
    () => 0,
  )
  t.equal(clock.sec, -1)
  t.equal(clock.nsec, 999_000_000)
})
