import t from 'tap'
import { decodeMerged, encodeMerged } from '../../../../src/fs/vfs/records/merged-record.js'
import { fuzzDecoder } from '../../../helpers/fuzz-decoder.js'

t.test('the digest comes back, hostile bytes are refused', async (t) => {
  const digest = new Uint8Array(32).fill(5)
  t.same(decodeMerged(encodeMerged(digest)), digest)
  fuzzDecoder(t, [encodeMerged(digest)], decodeMerged, encodeMerged)
})
