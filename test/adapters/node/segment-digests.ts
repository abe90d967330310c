/** What a backup says of its files. */
import t from 'tap'
import {
  decodeDigests,
  encodeDigests,
  readDigests,
  type SegmentDigests,
} from '../../../src/adapters/node/segment-digests.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { fuzzDecoder } from '../../helpers/fuzz-decoder.js'

const digests: SegmentDigests = new Map([
  [1, { length: 152, digest: new Uint8Array(32).fill(7) }],
  [12, { length: 2 ** 40, digest: new Uint8Array(32).fill(9) }],
])

t.test('it comes back as it was written, and nothing else is taken', async (t) => {
  t.strictSame(decodeDigests(encodeDigests(digests)), digests)
  fuzzDecoder(t, [encodeDigests(digests), encodeDigests(new Map())], decodeDigests, encodeDigests)
})

t.test('one that is missing or cannot be read says nothing', async (t) => {
  const storage = new MemoryStorage()
  t.equal((await readDigests(storage)).size, 0)
  await storage.replaceSmall('digests', new Uint8Array(100))
  t.equal((await readDigests(storage)).size, 0)
})
