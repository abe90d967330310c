import t from 'tap'
import { decodeXattrs, encodeXattrs, isXattrName } from '../../../../src/fs/vfs/records/xattr-record.js'
import { fuzzDecoder } from '../../../helpers/fuzz-decoder.js'

const xattrs = [
  { name: 'user.a', value: Uint8Array.of(1, 2, 3) },
  { name: `user.${'\xfe'.repeat(250)}`, value: new Uint8Array() },
]

t.test('attributes come back as they were', async (t) => {
  t.same(decodeXattrs(encodeXattrs(xattrs)), xattrs)
  const large = [{ name: 'user.large', value: new Uint8Array(65_536).fill(7) }]
  t.same(decodeXattrs(encodeXattrs(large)), large)
})

t.test('hostile bytes are refused', async (t) => {
  fuzzDecoder(t, [encodeXattrs(xattrs), encodeXattrs(xattrs.slice(0, 1))], decodeXattrs, encodeXattrs)
})

t.test('names have 1 to 255 bytes and no NUL', async (t) => {
  for (const name of ['', 'a\0b', 'x'.repeat(256)]) t.notOk(isXattrName(name))
  t.ok(isXattrName('x'.repeat(255)))
})
