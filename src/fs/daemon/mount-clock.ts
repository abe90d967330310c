/** The clock of a mount's files: this machine's, corrected by a time server where one was named. Nobody waits for it. */
import type { TimeServer } from '../../adapters/node/sntp.js'
import { followTime } from '../../adapters/node/time-follower.js'
import { DEFAULT_TOLERANCE_MS } from '../../engine/dio/hybrid-clock.js'
import { WallClock } from '../../engine/dio/wall-clock.js'
import { type Clock, WallClock as FileClock } from '../vfs/clock.js'

/** For as long as the process lives, which a mount does. `say`: the machine's clock is off by more than anybody believes. */
export function mountClock(server: TimeServer | undefined, say: (message: string) => void): Clock {
  if (server === undefined) return new FileClock()
  const onDoubt = (offsetMs: number): void =>
    say(
      `by the time server ${server.host} this machine's clock is off by ${Math.round(offsetMs / 1000)} seconds: ` +
        'that is not believed; set the clock right',
    )
  const wall = new WallClock({ machineMs: Date.now, toleranceMs: DEFAULT_TOLERANCE_MS, onDoubt })
  followTime(server, (offsetMs) => void wall.correct(offsetMs))
  return new FileClock(wall.nowMs)
}
