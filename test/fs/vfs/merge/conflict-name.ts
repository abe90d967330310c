import t from 'tap'
import { conflictLabel, conflictName } from '../../../../src/fs/vfs/merge/conflict-name.js'
import { nameOf } from '../../../helpers/open-memory-fs.js'

const label = conflictLabel('box/\u00e9', Date.UTC(2026, 10, 21, 22, 10, 3))

t.test('the name says whose version it is, and keeps its extension', async (t) => {
  t.equal(label, 'conflict of box__ 2026-11-21 22.10.03')
  t.equal(conflictName(nameOf('report.txt'), label, 1), `report (${label}).txt`)
  t.equal(conflictName(nameOf('report.txt'), label, 2), `report (${label} 2).txt`)
  t.equal(conflictName(nameOf('.profile'), label, 1), `.profile (${label})`)
  t.equal(conflictName(nameOf('a.sentence that goes on'), label, 1), `a.sentence that goes on (${label})`)
})

t.test('a long name is cut where a letter ends', async (t) => {
  const long = Buffer.from('\u00e9'.repeat(127)).toString('latin1')
  for (const count of [1, 10, 100]) {
    const name = conflictName(nameOf(long), label, count)
    t.ok(name.length <= 255)
    t.notMatch(Buffer.from(name, 'latin1').toString(), /\ufffd/)
  }
})
