import t from 'tap'
import {
  CHUNK_BYTES,
  chunkEnd,
  chunkStart,
  decodeExtent,
  encodeExtent,
} from '../../../../src/fs/vfs/records/extent-record.js'
import { fuzzDecoder } from '../../../helpers/fuzz-decoder.js'

const extent = { start: 3 * CHUNK_BYTES, length: CHUNK_BYTES, body: 2 ** 53 - 1, offset: 0 }

t.test('an extent comes back as it was', async (t) => {
  t.same(decodeExtent(extent.start, encodeExtent(extent)), extent)
})

t.test('hostile bytes are refused', async (t) => {
  const samples = [encodeExtent(extent), encodeExtent({ start: 0, length: 1, body: 0, offset: 65_535 })]
  fuzzDecoder(t, samples, (bytes) => decodeExtent(extent.start, bytes), encodeExtent)
})

t.test('an extent that crosses a chunk is refused', async (t) => {
  const bytes = encodeExtent({ ...extent, length: 2 })
  t.throws(() => decodeExtent(CHUNK_BYTES - 1, bytes), { code: 'BAD_FORMAT' })
  t.same(decodeExtent(CHUNK_BYTES - 2, bytes).length, 2)
})

t.test('chunks begin at their multiples, also far out', async (t) => {
  t.equal(chunkStart(CHUNK_BYTES - 1), 0)
  t.equal(chunkEnd(CHUNK_BYTES), 2 * CHUNK_BYTES)
  t.equal(chunkStart(2 ** 53 - 1), 2 ** 53 - CHUNK_BYTES)
})
