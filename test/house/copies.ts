/** Bytes that are kept are copied in a way that is one for whatever they are. */
import t from 'tap'
import { filesBelow } from '../helpers/source-files.js'

t.test('nothing is copied by slice(), which of a Buffer is a view of memory that others write', (t) => {
  for (const { path, text } of filesBelow('src', '.ts')) {
    const line = text.split('\n').findIndex((each) => !/^\s*(\*|\/[/*])/.test(each) && /\.slice\(\)/.test(each))
    t.equal(line, -1, `${path}:${line + 1}: copyOf() copies bytes, [...list] lists`)
  }
  t.end()
})
