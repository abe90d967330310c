/** When a chain is compacted by itself. */

export type CompactionMode =
  'never' | 'modified' | 'timer' | 'factor' | 'size' | 'factor-or-timer' | 'size-or-timer' | 'growth-or-timer'

export const COMPACTION_MODES: readonly CompactionMode[] = [
  'never',
  'modified',
  'timer',
  'factor',
  'size',
  'factor-or-timer',
  'size-or-timer',
  'growth-or-timer',
]

export interface CompactionTriggers {
  mode: CompactionMode
  timerMs: number
  /** Growth since the last compaction, as a part of what that left. */
  factor: number
  /** Growth since the last compaction, in bytes. */
  sizeBytes: number
}

export const DEFAULT_TRIGGERS: CompactionTriggers = {
  mode: 'growth-or-timer',
  timerMs: 3_600_000,
  factor: 0.4,
  sizeBytes: 100 * 1024 * 1024,
}

/** A server may be anybody's: nobody compacts without a pause because it says so. */
const LEAST_OF_SERVER = { timerMs: 60_000, factor: 0.05, sizeBytes: 1024 * 1024 }

/** What the user says, else what the server of the chain says, within bounds, else the defaults. */
export function triggersOf(
  own: Readonly<Partial<CompactionTriggers>>,
  server: Readonly<CompactionTriggers> | undefined,
): CompactionTriggers {
  return { ...DEFAULT_TRIGGERS, ...(server === undefined ? {} : bounded(server)), ...own }
}

function bounded({ mode, timerMs, factor, sizeBytes }: Readonly<CompactionTriggers>): CompactionTriggers {
  const least = LEAST_OF_SERVER
  if (mode === 'modified') return { mode: 'timer', timerMs: least.timerMs, factor, sizeBytes }
  return {
    mode,
    timerMs: Math.max(timerMs, least.timerMs),
    factor: Math.max(factor, least.factor),
    sizeBytes: Math.max(sizeBytes, least.sizeBytes),
  }
}

/** What is known of a log since it was compacted, or opened. */
export interface LogGrowth {
  sinceMs: number
  /** What it took on the disk then, and takes now. */
  bytesThen: number
  bytesNow: number
  /** Something was committed. */
  isModified: boolean
}

/** A log below this is not worth it, however much of it is new. */
const LEAST_FACTOR_BYTES = 2 * 1024 * 1024

/** Nothing committed, nothing dead. */
export function isCompactionDue(triggers: CompactionTriggers, growth: LogGrowth): boolean {
  const { mode, timerMs, factor, sizeBytes } = triggers
  if (!growth.isModified) return false
  const grown = growth.bytesNow - growth.bytesThen
  const byTimer = growth.sinceMs >= timerMs
  const byFactor = growth.bytesNow >= LEAST_FACTOR_BYTES && grown >= factor * growth.bytesThen
  const bySize = grown >= sizeBytes
  switch (mode) {
    case 'never':
      return false
    case 'modified':
      return true
    case 'timer':
      return byTimer
    case 'factor':
      return byFactor
    case 'size':
      return bySize
    case 'factor-or-timer':
      return byFactor || byTimer
    case 'size-or-timer':
      return bySize || byTimer
    case 'growth-or-timer':
      return byFactor || bySize || byTimer
    default:
      return mode satisfies never
  }
}
