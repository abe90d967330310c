/** When the chain of a program is compacted by itself, as its configuration says. */
import {
  type CompactableChain,
  type CompactionPlan,
  CompactionSchedule,
  notCompacted,
} from '../adapters/node/compaction-schedule.js'
import { COMPACTION_MODES, type CompactionTriggers } from '../engine/chain/compaction/compaction-mode.js'
import { AteError } from '../engine/error.js'
import type { AteConfigOptions } from './config.js'

/** BAD_ARGUMENT. */
export function compactionPlan(options: Readonly<AteConfigOptions>): CompactionPlan {
  const { compactMode: mode, compactTimerMs: timerMs } = options
  const { compactThresholdFactor: factor, compactThresholdBytes: sizeBytes } = options
  if (mode !== undefined && !COMPACTION_MODES.includes(mode))
    throw new AteError('BAD_ARGUMENT', `compactMode is none of ${COMPACTION_MODES.join(', ')}.`)
  for (const [name, value] of Object.entries({
    compactTimerMs: timerMs,
    compactThresholdFactor: factor,
    compactThresholdBytes: sizeBytes,
  }))
    if (value !== undefined && !(value > 0)) throw new AteError('BAD_ARGUMENT', `${name} must be above 0.`)
  const own = {
    ...(mode === undefined ? {} : { mode }),
    ...(timerMs === undefined ? {} : { timerMs }),
    ...(factor === undefined ? {} : { factor }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  }
  return { own, isNow: options.compactBootstrap ?? false }
}

/** Of a chain that others change too. */
export interface CompactionTurn {
  /** The chain follows its server. */
  readonly ready: Promise<unknown>
  /** This program has the turn: who has it not is not who makes the chain grow. */
  mayCompact(): boolean
  /** When the server wants it compacted. */
  triggers(): CompactionTriggers | undefined
}

export class Compactions {
  readonly #chain: CompactableChain
  readonly #options: Readonly<AteConfigOptions>
  readonly #schedule: CompactionSchedule
  #hasEnded = false

  /** `compact`: what is done when it is due. `holeBytes`: what earlier compactions gave back. */
  constructor(
    chain: CompactableChain,
    compact: CompactableChain['compact'],
    holeBytes: number,
    options: Readonly<AteConfigOptions>,
    turn?: CompactionTurn,
  ) {
    this.#chain = chain
    this.#options = options
    const plan = compactionPlan(options)
    const onFailure = (message: string): void => options.onNotice?.(message)
    this.#schedule = new CompactionSchedule({
      chain: { view: chain.view, status: () => chain.status(), compact },
      plan,
      ofServer: turn === undefined ? undefined : () => turn.triggers(),
      holeBytes,
      mayCompact: turn === undefined ? undefined : () => turn.mayCompact(),
      onFailure,
    })
    if (turn === undefined) this.#schedule.start()
    else void turn.ready.then(() => (this.#hasEnded ? undefined : this.#schedule.start()))
  }

  /** Before the chain is closed. */
  async end(): Promise<void> {
    this.#hasEnded = true
    this.#schedule.stop()
    const { compactCleanup = false, onNotice } = this.#options
    if (!compactCleanup || this.#chain.view.readOnly) return
    await this.#chain.compact().catch((error: unknown) => onNotice?.(notCompacted(error)))
  }
}
