/** Timers of Node: what is sent while one event is handled, and by the promises it settles, shares a frame. */
import { systemTimers, type Timers } from '../../wire/index.js'

export const nodeTimers: Timers = {
  ...systemTimers,
  soon(run) {
    setImmediate(run)
  },
}
