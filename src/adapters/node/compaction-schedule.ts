/** Compacts an open chain when it is due, one compaction at a time. */
import type { CompactionReport } from '../../engine/chain/compaction/compaction-report.js'
import { type CompactionTriggers, isCompactionDue, triggersOf } from '../../engine/chain/compaction/compaction-mode.js'
import { errorCode } from '../../engine/error.js'

/** How often it is looked whether a compaction is due: a look costs a few calls to the system. */
const LOOK_MS = 10_000
/** After a failure: what keeps a chain from being compacted seldom passes soon. */
const RETRY_MS = 600_000
/** When somebody still read an older state. */
const DEFERRED_MS = 60_000

export interface CompactionPlan {
  /** What the user says; the rest is as the server of the chain says, or the defaults. */
  own: Readonly<Partial<CompactionTriggers>>
  /** Once, as soon as it is open. */
  isNow: boolean
}

export interface CompactableChain {
  readonly view: { readonly readOnly: boolean }
  /** Bytes of the log, and number of its last batch. Cheap. */
  status(): { readonly logBytes: number; readonly headSequence: number }
  compact(): Promise<CompactionReport>
}

export interface CompactionScheduleOptions {
  chain: CompactableChain
  plan: CompactionPlan
  /** What the server of the chain says, as long as it is known. */
  ofServer?: (() => CompactionTriggers | undefined) | undefined
  /** Bytes of the log that earlier compactions gave back. */
  holeBytes: number
  /** Something was dropped or forgotten. */
  onCompacted?: ((report: CompactionReport) => void) | undefined
  /** It is for this program to compact the chain now; the default is yes. */
  mayCompact?: (() => boolean) | undefined
  /** A sentence for people: why it was not compacted. */
  onFailure: (message: string) => void
  lookMs?: number
  clock?: () => number
}

interface LogState {
  atMs: number
  bytes: number
  sequence: number
}

export class CompactionSchedule {
  readonly #options: CompactionScheduleOptions
  readonly #clock: () => number
  #timer: NodeJS.Timeout | undefined
  #freedBytes: number
  #then: LogState
  #notBeforeMs = 0
  #running: Promise<void> | undefined

  /** Nothing happens before `start`. */
  constructor(options: CompactionScheduleOptions) {
    this.#options = options
    this.#clock = options.clock ?? Date.now
    this.#freedBytes = options.holeBytes
    this.#then = this.#state()
  }

  start(): void {
    const { plan, lookMs = LOOK_MS, chain, ofServer } = this.#options
    if (chain.view.readOnly) return
    if (plan.isNow) this.#run()
    const { mode, timerMs } = this.#triggers()
    // A server may say otherwise later, when it is run again.
    if (mode === 'never' && (plan.own.mode === 'never' || ofServer === undefined)) return
    this.#timer = setInterval(() => this.look(), Math.min(lookMs, Math.max(1000, timerMs)))
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Compacts when it is due. */
  look(): void {
    const { mayCompact = () => true } = this.#options
    const now = this.#clock()
    if (this.#running !== undefined || now < this.#notBeforeMs || !mayCompact()) return
    const { bytes, sequence } = this.#state()
    const growth = {
      sinceMs: now - this.#then.atMs,
      bytesThen: this.#then.bytes,
      bytesNow: bytes,
      isModified: sequence !== this.#then.sequence,
    }
    if (isCompactionDue(this.#triggers(), growth)) this.#run()
  }

  #triggers(): CompactionTriggers {
    const { plan, ofServer } = this.#options
    return triggersOf(plan.own, ofServer?.())
  }

  #run(): void {
    this.#running = this.#compact().finally(() => (this.#running = undefined))
  }

  async #compact(): Promise<void> {
    const { chain, onCompacted, onFailure } = this.#options
    // What is committed meanwhile is for the next one.
    const { sequence } = this.#state()
    try {
      const report = await chain.compact()
      if (report.isDeferred) {
        this.#notBeforeMs = this.#clock() + DEFERRED_MS
        return
      }
      this.#freedBytes += report.freedBytes
      if (report.bodies > 0 || report.freedBytes > 0) onCompacted?.(report)
    } catch (error) {
      const code = errorCode(error)
      // The chain is being closed.
      if (code === 'CHAIN_CLOSED') return
      this.#notBeforeMs = this.#clock() + RETRY_MS
      onFailure(notCompacted(error))
    }
    this.#then = { ...this.#state(), sequence }
  }

  #state(): LogState {
    const { headSequence, logBytes } = this.#options.chain.status()
    return { atMs: this.#clock(), bytes: logBytes - this.#freedBytes, sequence: headSequence }
  }
}

/** Why, one line for people. */
export function notCompacted(error: unknown): string {
  return `not compacted: ${error instanceof Error ? error.message : 'unexpected'} (${errorCode(error) ?? 'unexpected'})`
}
