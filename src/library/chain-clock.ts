/** The clock of a chain that a program opens. */
import { DEFAULT_TIME_SERVER, followTime } from '../adapters/node/time-follower.js'
import { DEFAULT_TOLERANCE_MS } from '../engine/dio/hybrid-clock.js'
import { WallClock } from '../engine/dio/wall-clock.js'
import type { AteConfigOptions } from './config.js'

export interface ChainClock {
  readonly nowMs: () => number
  readonly toleranceMs: number
  /** No time servers are asked for it any more. */
  stop(): void
}

export function chainClock({ ntp, clockToleranceMs, onNotice }: AteConfigOptions): ChainClock {
  const toleranceMs = clockToleranceMs ?? DEFAULT_TOLERANCE_MS
  const onDoubt = (offsetMs: number): void =>
    onNotice?.(
      `By the time servers this machine's clock is off by ${inSeconds(offsetMs)} seconds. That is beyond the tolerance of ` +
        `${inSeconds(toleranceMs)}, so the machine is believed: set its clock right.`,
    )
  const clock = new WallClock({ machineMs: Date.now, toleranceMs, onDoubt })
  if (ntp === undefined) return { nowMs: clock.nowMs, toleranceMs, stop: nothing }
  const { pool = DEFAULT_TIME_SERVER.host, port = DEFAULT_TIME_SERVER.port } = ntp
  const stop = followTime({ host: pool, port }, (offsetMs) => void clock.correct(offsetMs))
  return { nowMs: clock.nowMs, toleranceMs, stop }
}

/** What is to be said of the latest time in a chain, undefined when it is as it should be. */
export function doubtAbout(name: string, latestMs: number, { nowMs, toleranceMs }: ChainClock): string | undefined {
  const aheadMs = latestMs - nowMs()
  if (aheadMs <= toleranceMs) return undefined
  return `The latest change of the chain ${name} was made ${inSeconds(aheadMs)} seconds ahead of this machine's clock: new ones come after it.`
}

function inSeconds(ms: number): string {
  return (ms / 1000).toFixed(0)
}

function nothing(): void {
  // Nobody is asked.
}
