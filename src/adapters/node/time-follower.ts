/** Asks time servers in the background, now and then, for as long as somebody wants to know; once for all who do. */
import { setTimeout as sleep } from 'node:timers/promises'
import { askTime, type TimeSample, type TimeServer } from './sntp.js'

export const DEFAULT_TIME_SERVER: TimeServer = { host: 'pool.ntp.org', port: 123 }

export interface TimePace {
  /** Between two rounds. */
  intervalMs: number
  /** After a round without an answer; doubled each time, up to the interval. */
  retryMs: number
  /** For one answer. */
  timeoutMs: number
}

/** As often as public servers bear it: RFC 5905 has 1024 seconds as the largest interval by default. */
const PACE: TimePace = { intervalMs: 1024_000, retryMs: 2000, timeoutMs: 5000 }
/** Questions of one round. The answer that came fastest is the most exact. */
const QUESTIONS = 3

type Listener = (offsetMs: number) => void

class Follower {
  readonly listeners = new Set<Listener>()
  readonly #controller = new AbortController()
  readonly #server: TimeServer
  readonly #pace: TimePace
  #offsetMs: number | undefined

  constructor(server: TimeServer, pace: TimePace) {
    this.#server = server
    this.#pace = pace
    void this.#run()
  }

  add(listener: Listener): void {
    this.listeners.add(listener)
    if (this.#offsetMs !== undefined) listener(this.#offsetMs)
  }

  stop(): void {
    this.#controller.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#controller
    const { intervalMs, retryMs } = this.#pace
    let retryInMs = retryMs
    for (;;) {
      const sample = await this.#ask()
      if (signal.aborted) return
      if (sample !== undefined) this.#tell(sample.offsetMs)
      const waitMs = sample === undefined ? retryInMs : intervalMs
      retryInMs = sample === undefined ? Math.min(2 * retryInMs, intervalMs) : retryMs
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** Undefined: nobody has answered with anything of use, which is nobody's fault and no news. */
  async #ask(): Promise<TimeSample | undefined> {
    let best: TimeSample | undefined
    for (let i = 0; i < QUESTIONS; i++) {
      const sample = await askTime(this.#server, this.#pace.timeoutMs, this.#controller.signal).catch(() => undefined)
      if (sample === undefined) return best
      if (best === undefined || sample.roundTripMs < best.roundTripMs) best = sample
    }
    return best
  }

  #tell(offsetMs: number): void {
    this.#offsetMs = offsetMs
    for (const listener of this.listeners) listener(offsetMs)
  }
}

const followers = new Map<string, Follower>()

/** Tells `listener` what this machine is behind by, whenever that is known anew; returns what ends it. It waits for nothing. */
export function followTime(server: TimeServer, listener: Listener, pace = PACE): () => void {
  const name = `${server.host} ${server.port} ${Object.values(pace).join(' ')}`
  const follower = followers.get(name) ?? new Follower(server, pace)
  followers.set(name, follower)
  follower.add(listener)
  return () => {
    if (!follower.listeners.delete(listener) || follower.listeners.size > 0) return
    follower.stop()
    followers.delete(name)
  }
}
