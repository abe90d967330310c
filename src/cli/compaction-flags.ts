/** When a log is compacted by itself: the flags of `mount` and of `atedb solo`. */
import * as Flags from '@oclif/core/flags'
import {
  COMPACTION_MODES,
  type CompactionMode,
  type CompactionTriggers,
  DEFAULT_TRIGGERS,
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

/** BAD_ARGUMENT for a factor that is no number above 0. */
export function compactionTriggers(flags: CompactionFlags): CompactionTriggers {
  const timer = flags['compact-timer']
  return {
    mode: flags['compact-mode'] ?? DEFAULT_TRIGGERS.mode,
    timerMs: timer === undefined ? DEFAULT_TRIGGERS.timerMs : timer * 1000,
    factor: readFactor(flags['compact-threshold-factor']),
    sizeBytes: flags['compact-threshold-size'] ?? DEFAULT_TRIGGERS.sizeBytes,
  }
}

function readFactor(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TRIGGERS.factor
  const factor = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : 0
  if (factor > 0) return factor
  throw new AteError('BAD_ARGUMENT', `--compact-threshold-factor needs a number above 0, such as 0.4`)
}
