import t from 'tap'
import { decodeOrphan, encodeOrphan, ONLY_WRITER } from '../../../../src/fs/vfs/records/orphan-record.js'
import { fuzzDecoder } from '../../../helpers/fuzz-decoder.js'

t.test('who uses it comes back, hostile bytes are refused', async (t) => {
  const users = [ONLY_WRITER, 1, 2 ** 48 - 1, Number.MAX_SAFE_INTEGER]
  t.same(
    users.map((user) => decodeOrphan(encodeOrphan(user))),
    users,
  )
  t.same([...encodeOrphan(ONLY_WRITER)], [1], 'as ever in a chain with one writer')
  fuzzDecoder(t, users.map(encodeOrphan), decodeOrphan, encodeOrphan)
})
