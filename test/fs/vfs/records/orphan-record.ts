import t from 'tap'
import { decodeOrphan, encodeOrphan, ONLY_WRITER } from '../../../../src/fs/vfs/records/orphan-record.js'
import { fuzzDecoder } from '../../../helpers/fuzz-decoder.js'

t.test('who uses it and when that was said comes back, hostile bytes are refused', async (t) => {
  const users = [1, 2 ** 48 - 1, Number.MAX_SAFE_INTEGER]
  const orphans = [{ user: ONLY_WRITER, seenSec: 0 }]
  for (const user of users) for (const seenSec of [0, 1, 1_800_000_000]) orphans.push({ user, seenSec })
  t.same(
    orphans.map((orphan) => decodeOrphan(encodeOrphan(orphan))),
    orphans,
  )
  t.same([...encodeOrphan({ user: ONLY_WRITER, seenSec: 5 })], [1], 'as ever in a chain with one writer')
  fuzzDecoder(t, orphans.map(encodeOrphan), decodeOrphan, encodeOrphan)
})
