// What one process of a contender is asked to do, and what it answers: as JSON, on the command line and standard output.
import type { Durability } from './contender.js'

export const OBJECT_BYTES = 1024

export interface AppendJob {
  readonly kind: 'append'
  readonly contender: string
  readonly directory: string
  readonly durability: Durability
  readonly batch: number
  /** Callers that each wait for their own commit before the next. */
  readonly inFlight: number
  readonly seconds: number
}

export interface AppendResult {
  readonly objects: number
  /** Until the last commit was answered; until nothing was put off any more; until the store was closed. */
  readonly answeredNs: number
  readonly settledNs: number
  readonly closedNs: number
  /** CPU time of all threads until it was closed. */
  readonly cpuNs: number
  readonly rssAnonBytes: number
}

export interface BuildJob {
  readonly kind: 'build'
  readonly contender: string
  readonly directory: string
  readonly objects: number
}

export interface BuildResult {
  readonly ns: number
}

/** Opens what a BuildJob built, and loads objects at random: the first `warmUp` of them untimed. */
export interface LoadJob {
  readonly kind: 'load'
  readonly contender: string
  readonly directory: string
  readonly loads: number
  readonly warmUp: number
}

export interface LoadResult {
  readonly openNs: number
  readonly rssAnonAfterOpen: number
  readonly loadsNs: number
  readonly rssAnonAfterLoads: number
}

export type Job = AppendJob | BuildJob | LoadJob

export type ResultOf<J extends Job> = J extends AppendJob ? AppendResult : J extends BuildJob ? BuildResult : LoadResult
