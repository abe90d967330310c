/**
 * Power failures and killed processes at every operation of sessions that compact: what opens afterwards holds everything
 * that was acknowledged, whatever was dropped by then, with the index as it was or without, and goes on as a sound chain.
 * ATEFS_TEST_LONG=1 tries every cut with every luck.
 */
import t from 'tap'
import { liveCompacting } from '../../helpers/crash/compaction-session.js'
import { checkAll, killsOf, powerFailuresOf } from '../../helpers/crash/crashes.js'

const session = await liveCompacting('local')
t.equal(session.dropped, 19, 'bodies were dropped, some of them because what was left of them was written anew')

await t.test('after a power failure all that was acknowledged is there, whatever was dropped', (t) =>
  checkAll(t, session, powerFailuresOf(session, 3)),
)

await t.test('after the process is killed all that was acknowledged is there, whatever was dropped', (t) =>
  checkAll(t, session, killsOf(session, 8)),
)
