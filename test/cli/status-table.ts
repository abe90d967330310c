import t from 'tap'
import { findingText } from '../../src/cli/finding-text.js'
import { progressText, terminalProgress } from '../../src/cli/progress.js'
import { formatBytes, statusTable } from '../../src/cli/status-table.js'

t.test('sizes are for people', async (t) => {
  t.equal(formatBytes(0), '0 B')
  t.equal(formatBytes(1023), '1023 B')
  t.equal(formatBytes(1536), '1.5 KiB')
  t.equal(formatBytes(3 * 2 ** 40), '3.0 TiB')
  t.equal(formatBytes(2 ** 70), '1048576.0 PiB')
})

t.test('a mount whose daemon is silent is shown as such', async (t) => {
  t.equal(statusTable([]), 'Nothing is mounted')
  t.equal(
    statusTable([{ state: 'silent', mountpoint: '/m', directory: '/d', pid: 7 }]),
    '/m\n  state    no daemon answers\n  chain    /d\n  process  7',
  )
})

t.test('a finding says where, then what', async (t) => {
  t.equal(findingText({ kind: 'manifest', message: 'It is gone.' }), 'manifest: It is gone.')
  t.equal(
    findingText({
      kind: 'body',
      message: 'Bad.',
      path: '/a',
      inode: 5,
      segment: 1,
      position: 64,
      sequence: 2,
      group: 9,
    }),
    'body: /a, inode 5, segment 1, position 64, batch 2, record group 9: Bad.',
  )
})

t.test('progress is a share when there is a whole', async (t) => {
  t.equal(progressText({ phase: 'reading', doneBytes: 5, totalBytes: 0 }), 'reading')
  t.equal(progressText({ phase: 'reading', doneBytes: 1, totalBytes: 3 }), 'reading: 33 %')
  t.equal(progressText({ phase: 'reading', doneBytes: 9, totalBytes: 3 }), 'reading: 100 %')
})

t.test('without a terminal there is no progress', async (t) => {
  const progress = terminalProgress()
  progress.show('never seen')
  progress.clear()
  t.pass('nothing was written, or tap would not understand this test')
})
