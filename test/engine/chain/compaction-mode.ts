/** When a chain is compacted, mode by mode. */
import t from 'tap'
import {
  COMPACTION_MODES,
  type CompactionMode,
  isCompactionDue,
  triggersOf,
} from '../../../src/engine/chain/compaction/compaction-mode.js'

const MiB = 1024 * 1024
const triggers = { timerMs: 100, factor: 0.5, sizeBytes: 500 * MiB }
/** What has come of a log of 1,000 MiB. */
const cases = {
  'nothing yet': { sinceMs: 99, bytesThen: 1000 * MiB, bytesNow: 1099 * MiB, isModified: true },
  'the time is over': { sinceMs: 100, bytesThen: 1000 * MiB, bytesNow: 1099 * MiB, isModified: true },
  'it has grown by the factor, not by the size': {
    sinceMs: 5,
    bytesThen: 600 * MiB,
    bytesNow: 900 * MiB,
    isModified: true,
  },
  'it has grown by the size, not by the factor': {
    sinceMs: 5,
    bytesThen: 2000 * MiB,
    bytesNow: 2500 * MiB,
    isModified: true,
  },
  'it has grown by the factor and is small': { sinceMs: 5, bytesThen: 100, bytesNow: 2 * MiB - 1, isModified: true },
  'it was empty and is 2 MiB': { sinceMs: 5, bytesThen: 0, bytesNow: 2 * MiB, isModified: true },
  'it has shrunk': { sinceMs: 5, bytesThen: 1000 * MiB, bytesNow: 10 * MiB, isModified: true },
  'all is over, and nothing was committed': { sinceMs: 1e9, bytesThen: 0, bytesNow: 9000 * MiB, isModified: false },
}

const due: Record<keyof typeof cases, CompactionMode[]> = {
  'nothing yet': ['modified'],
  'the time is over': ['modified', 'timer', 'factor-or-timer', 'size-or-timer', 'growth-or-timer'],
  'it has grown by the factor, not by the size': ['modified', 'factor', 'factor-or-timer', 'growth-or-timer'],
  'it has grown by the size, not by the factor': ['modified', 'size', 'size-or-timer', 'growth-or-timer'],
  'it has grown by the factor and is small': ['modified'],
  'it was empty and is 2 MiB': ['modified', 'factor', 'factor-or-timer', 'growth-or-timer'],
  'it has shrunk': ['modified'],
  'all is over, and nothing was committed': [],
}

for (const [name, growth] of Object.entries(cases)) {
  t.test(`a compaction is due by its mode: ${name}`, (t) => {
    const modes = COMPACTION_MODES.filter((mode) => isCompactionDue({ ...triggers, mode }, growth))
    t.same(modes, due[name as keyof typeof cases])
    t.end()
  })
}

t.test('no server has anybody compact without a pause; a user may', (t) => {
  const hostile = { timerMs: 1, factor: 1e-9, sizeBytes: 1 }
  for (const mode of COMPACTION_MODES) {
    const soon = { sinceMs: 59_999, bytesThen: 100 * MiB, bytesNow: 100 * MiB + 1000, isModified: true }
    t.notOk(isCompactionDue(triggersOf({}, { ...hostile, mode }), soon), mode)
    t.equal(
      isCompactionDue(triggersOf({ ...hostile, mode }, undefined), soon),
      mode !== 'never',
      `${mode}, by the user`,
    )
  }
  const modified = triggersOf({}, { ...hostile, mode: 'modified' })
  t.ok(isCompactionDue(modified, { sinceMs: 60_000, bytesThen: 5, bytesNow: 5, isModified: true }), 'once a minute')
  t.end()
})
