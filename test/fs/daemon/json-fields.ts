import fc from 'fast-check'
import t from 'tap'
import { errorCode } from '../../../src/engine/error.js'
import { fromErrorRecord, toErrorRecord } from '../../../src/fs/daemon/error-record.js'
import { parseJsonObject } from '../../../src/fs/daemon/json-fields.js'
import { readMountStatus } from '../../../src/fs/daemon/mount-status.js'
import { AteError } from '../../../src/engine/error.js'

t.test('errors of ours cross whole, others as what the receiver can act on', async (t) => {
  const whole = new AteError('NO_SPACE', 'full', { hint: 'delete' })
  t.match(fromErrorRecord({ ...toErrorRecord(whole, 'DAEMON_FAILED') }), {
    code: 'NO_SPACE',
    message: 'full',
    hint: 'delete',
  })
  t.same(toErrorRecord(new Error('odd'), 'DAEMON_FAILED'), { code: 'DAEMON_FAILED', message: 'odd' })
  t.same(toErrorRecord('odd', 'DAEMON_FAILED'), { code: 'DAEMON_FAILED', message: 'odd' })
  t.match(fromErrorRecord({ code: 'FROM_THE_FUTURE', message: 'm' }), { code: 'DAEMON_FAILED', message: 'm' })
})

t.test('any JSON is an object with the right fields or BAD_FORMAT', async () => {
  for (const read of [readMountStatus, fromErrorRecord]) {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          read(parseJsonObject(text))
          return true
        } catch (error) {
          return errorCode(error) === 'BAD_FORMAT'
        }
      }),
      { seed: 2 },
    )
  }
})
