import t from 'tap'
import {
  decodeEntries,
  encodeEntries,
  encodeSingleEntry,
  isEntryName,
} from '../../../../src/fs/vfs/records/entry-record.js'
import { fuzzDecoder } from '../../../helpers/fuzz-decoder.js'
import { nameOf } from '../../../helpers/open-memory-fs.js'

const first = { slot: 0, type: 8, ino: 12, name: nameOf('a') }
const second = { slot: 31, type: 4, ino: 2 ** 53 - 1, name: nameOf('\xff'.repeat(255)) }

t.test('entries come back as they were', async (t) => {
  t.same(decodeEntries(encodeEntries([first, second])), [first, second])
  t.same(decodeEntries(encodeSingleEntry(0, 8, 12, nameOf('a'))), [first])
})

t.test('hostile bytes are refused', async (t) => {
  const samples = [encodeEntries([first]), encodeEntries([first, second]), encodeEntries([second])]
  fuzzDecoder(t, samples, decodeEntries, encodeEntries)
})

t.test('names that no entry can have are refused', async (t) => {
  for (const name of ['', '.', '..', 'a/b', 'a\0', 'x'.repeat(256)]) t.notOk(isEntryName(name), JSON.stringify(name))
  for (const name of ['...', ' ', '\n', '\xff', 'x'.repeat(255)]) t.ok(isEntryName(name), JSON.stringify(name))
})
