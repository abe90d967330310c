import t from 'tap'
import { shownIno, statWords } from '../../../../src/fs/drivers/fuse-native/stat-words.js'

const attributes = {
  ino: 7,
  mode: 0o100644,
  nlink: 1,
  uid: 1000,
  gid: 0xfffffffe,
  rdev: 0,
  size: 5 * 2 ** 32 + 9,
  blocks: 2 ** 33,
  atimeSec: 1_700_000_000,
  atimeNsec: 123_999_999,
  mtimeSec: 0,
  mtimeNsec: 999_999,
  ctimeSec: 0,
  ctimeNsec: 0,
  birthSec: 0,
  birthNsec: 0,
}
const wide = (words: Uint32Array, at: number): number => (words[at] ?? 0) + (words[at + 1] ?? 0) * 2 ** 32

t.test('sizes, blocks and times fill two words each', async (t) => {
  const words = statWords(attributes, 3)
  t.equal(words[0], 0o100644)
  t.equal(words[2], 0xfffffffe)
  t.equal(wide(words, 3), attributes.size)
  t.equal(words[6], 3, 'the link count is the caller’s')
  t.equal(wide(words, 10), attributes.blocks)
  t.equal(wide(words, 12), 1_700_000_000_123, 'milliseconds, cut')
  t.equal(wide(words, 14), 0)
})

t.test('a time before 1970 is shown as 1970', async (t) => {
  t.equal(wide(statWords({ ...attributes, mtimeSec: -5, mtimeNsec: 1 }, 1), 14), 0)
})

t.test('inode numbers are cut to 32 bits and never 0', async (t) => {
  t.equal(shownIno(2 ** 40 + 17), 17)
  t.equal(shownIno(2 ** 40), 1)
})
