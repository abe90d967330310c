/** Times that a batch from elsewhere brings: whoever took them unseen would count on from whatever somebody has made up. */
import type { ReceivedChange } from '../chain/received-changes.js'
import { AteError } from '../error.js'
import type { RecordReader } from '../transaction/record-reader.js'
import { decodeClock, type HybridClock } from './hybrid-clock.js'
import { CLOCK_KIND, OBJECT_KIND } from './kinds.js'
import { decodeObject } from './object-record.js'

/** TIME_AHEAD for times beyond the tolerance, BATCH_REFUSED where the chain would forget how late it is, BAD_FORMAT. */
export function demandTimes(clock: HybridClock, changes: readonly ReceivedChange[], latest: RecordReader): void {
  const known = latest.get(CLOCK_KIND, 0, 0)
  const before = known === undefined ? 0 : decodeClock(known)
  for (const change of changes) {
    const value = 'value' in change ? change.value : null
    if (change.kind === CLOCK_KIND) {
      const time = value === null ? 0 : decodeClock(value)
      if (time < before) throw new AteError('BATCH_REFUSED', 'The batch sets the clock of the chain back.')
      clock.demandTolerable(time)
    } else if (change.kind === OBJECT_KIND && value !== null) {
      const object = decodeObject(value)
      if (object !== undefined) clock.demandTolerable(Math.max(object.createdAt, object.updatedAt))
    }
  }
}
