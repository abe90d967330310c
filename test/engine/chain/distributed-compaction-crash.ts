/**
 * The same in distributed trust, where every opening judges each drop by the chain before it, and what was torn from its
 * signatures counts for nothing: no crash leaves a drop of what is needed then. ATEFS_TEST_LONG=1 tries every cut with every luck.
 */
import t from 'tap'
import { liveCompacting } from '../../helpers/crash/compaction-session.js'
import { checkAll, killsOf, powerFailuresOf } from '../../helpers/crash/crashes.js'

const session = await liveCompacting('distributed')
t.ok(session.dropped > 15, `${session.dropped} bodies were dropped`)

await t.test('after a power failure every reader finds what was acknowledged, and refuses no honest drop', (t) =>
  checkAll(t, session, powerFailuresOf(session, 45)),
)

await t.test('after the process is killed every reader finds what was acknowledged, and refuses no honest drop', (t) =>
  checkAll(t, session, killsOf(session, 50)),
)
