import { after } from '../engine/after.js'

/** Time, given from outside so that tests can have their own. */
export interface Timers {
  /** Runs once after `ms` milliseconds unless the function it returns is called before. */
  after(ms: number, run: () => void): () => void
  /** Runs as soon as what is going on now is over: what is sent until then shares a frame. */
  soon(run: () => void): void
}

export const systemTimers: Timers = {
  after,
  soon: queueMicrotask,
}
