/** When a log is compacted by itself: the flags of `mount` and of `atedb solo`. */
import * as Flags from '@oclif/core/flags'
import {
  COMPACTION_MODES,
  type CompactionMode,
  type CompactionTriggers,
} from '../engine/chain/compaction/compaction-mode.js'
import { AteError } from '../engine/error.js'

/** As oclif parses them. */
export interface CompactionFlags {
  'compact-mode'?: CompactionMode | undefined
  'compact-timer'?: number | undefined
  'compact-threshold-factor'?: string | undefined
  'compact-threshold-size'?: number | undefined
}

export const compactionFlags = {
  'compact-mode': Flags.option({
    options: COMPACTION_MODES,
    summary: 'when to give the space of deleted content back (default: growth-or-timer)',
    helpGroup: 'COMPACTION',
  })(),
  'compact-timer': Flags.integer({
    summary: 'seconds between compactions of the modes with timer (default: 3600)',
    helpValue: 'SECONDS',
    min: 1,
    helpGroup: 'COMPACTION',
  }),
  'compact-threshold-factor': Flags.string({
    summary: 'growth since the last compaction, as a part of what it left (default: 0.4)',
    helpValue: 'FACTOR',
    helpGroup: 'COMPACTION',
  }),
  'compact-threshold-size': Flags.integer({
    summary: 'growth since the last compaction in bytes (default: 104857600)',
    helpValue: 'BYTES',
    min: 1,
    helpGroup: 'COMPACTION',
  }),
}

/** Those that were given. BAD_ARGUMENT for a factor that is no number above 0. */
export function ownTriggers(flags: CompactionFlags): Partial<CompactionTriggers> {
  const { 'compact-mode': mode, 'compact-timer': timer, 'compact-threshold-size': sizeBytes } = flags
  const factor = flags['compact-threshold-factor']
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(timer === undefined ? {} : { timerMs: timer * 1000 }),
    ...(factor === undefined ? {} : { factor: readFactor(factor) }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  }
}

function readFactor(text: string): number {
  const factor = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : 0
  if (factor > 0) return factor
  throw new AteError('BAD_ARGUMENT', `--compact-threshold-factor needs a number above 0, such as 0.4`)
}
