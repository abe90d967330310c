import { statfsSync } from 'node:fs'
import t from 'tap'
import { mediumSpace } from '../../../src/fs/daemon/medium-space.js'

await t.test('the room that is told is that of now, however long nobody asked', async (t) => {
  let timeMs = 0
  let bfree = 100
  const space = mediumSpace(
    t.testdir(),
    (directory) => Object.assign(statfsSync(directory), { bsize: 4096, bfree }),
    () => timeMs,
  )
  bfree = 50
  timeMs = 999
  t.match(space(), { freeBytes: 100 * 4096 }, 'many questions ask the medium once')
  timeMs = 3_600_000
  t.match(space(), { freeBytes: 50 * 4096 })
})

await t.test('a medium that does not answer any more leaves what was known last', async (t) => {
  let timeMs = 0
  const space = mediumSpace(
    t.testdir(),
    (directory) => {
      if (timeMs > 0) throw new Error('gone')
      return statfsSync(directory)
    },
    () => timeMs,
  )
  const before = space()
  timeMs = 2000
  t.same(space(), before)
})
