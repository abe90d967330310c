import t from 'tap'
import { nameOfText, textOfBytes } from '../../../../src/fs/drivers/fuse-native/text-names.js'

t.test('text becomes its UTF-8 bytes, one per character, and back', async (t) => {
  for (const text of ['plain', 'ä', '日本', '😀', 'e\u0301']) {
    t.equal(Buffer.from(nameOfText(text), 'latin1').toString('utf8'), text)
    t.equal(textOfBytes(nameOfText(text)), text)
  }
})

t.test('what was no UTF-8 is refused rather than taken for another name', async (t) => {
  t.throws(() => nameOfText(Buffer.from([0x61, 0xff]).toString('utf8')), { code: 'INVALID' })
  t.equal(textOfBytes('a\xff'), 'a\ufffd', 'and shown with a mark')
})
