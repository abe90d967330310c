/** Compacts the chain of a mount when it is due, one compaction at a time, and says what came of it. */
import type { ChainHandle } from '../../adapters/node/chain-handle.js'
import { errorCode } from '../../engine/error.js'
import { type CompactionTriggers, isCompactionDue } from './compaction-mode.js'

/** How often it is looked whether a compaction is due: a look costs a few calls to the system. */
const LOOK_MS = 10_000
/** After a failure: what keeps a chain from being compacted seldom passes soon. */
const RETRY_MS = 600_000

export interface CompactionPlan extends CompactionTriggers {
  /** Once, as soon as it is mounted. */
  isNow: boolean
}

export interface CompactionScheduleOptions {
  chain: Pick<ChainHandle, 'compact' | 'status' | 'view'>
  plan: CompactionPlan
  /** Bytes of the log that earlier compactions gave back. */
  holeBytes: number
  say: (message: string) => void
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
    const { plan, lookMs = LOOK_MS, chain } = this.#options
    if (chain.view.readOnly) return
    if (plan.isNow) this.#run()
    if (plan.mode === 'never') return
    this.#timer = setInterval(() => this.look(), Math.min(lookMs, Math.max(1000, plan.timerMs)))
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Compacts when it is due. */
  look(): void {
    const { plan } = this.#options
    const now = this.#clock()
    if (this.#running !== undefined || now < this.#notBeforeMs) return
    const { bytes, sequence } = this.#state()
    const growth = {
      sinceMs: now - this.#then.atMs,
      bytesThen: this.#then.bytes,
      bytesNow: bytes,
      isModified: sequence !== this.#then.sequence,
    }
    if (isCompactionDue(plan, growth)) this.#run()
  }

  #run(): void {
    this.#running = this.#compact().finally(() => (this.#running = undefined))
  }

  async #compact(): Promise<void> {
    const { chain, say } = this.#options
    // What is committed meanwhile is for the next one.
    const { sequence } = this.#state()
    try {
      const { bodies, freedBytes } = await chain.compact()
      this.#freedBytes += freedBytes
      if (bodies > 0) say(`compacted: ${bodies} bodies dropped, ${freedBytes} bytes given back`)
    } catch (error) {
      const code = errorCode(error)
      // The mount is ending.
      if (code === 'CHAIN_CLOSED') return
      this.#notBeforeMs = this.#clock() + RETRY_MS
      say(`not compacted: ${error instanceof Error ? error.message : 'unexpected'} (${code ?? 'unexpected'})`)
    } finally {
      this.#then = { ...this.#state(), sequence }
    }
  }

  #state(): LogState {
    const { headSequence, logBytes } = this.#options.chain.status()
    return { atMs: this.#clock(), bytes: logBytes - this.#freedBytes, sequence: headSequence }
  }
}
