import fc from 'fast-check'
import t from 'tap'
import { findMount, parseMountInfo, readMountTable } from '../../../src/fs/daemon/mount-table.js'

const SAMPLE = [
  '22 1 0:21 / / rw,relatime - ext4 /dev/vda1 rw',
  '40 22 0:35 / /mnt/my\\040vault rw,nosuid,nodev shared:12 master:3 - fuse.atefs /var/lib/a\\134b rw,user_id=1000,group_id=1000',
  '41 22 0:36 / /mnt/my\\040vault rw - tmpfs tmpfs rw',
  'rubbish',
  '',
].join('\n')

t.test('fields are found whatever number of tags precedes them, and escapes are undone', async (t) => {
  t.same(parseMountInfo(SAMPLE)[1], {
    mountpoint: '/mnt/my vault',
    type: 'fuse.atefs',
    source: '/var/lib/a\\b',
    minor: 35,
    superOptions: 'rw,user_id=1000,group_id=1000',
  })
})

t.test('of several mounts on one place the last is on top', async (t) => {
  t.equal(findMount('/mnt/my vault', parseMountInfo(SAMPLE))?.type, 'tmpfs')
  t.equal(findMount('/mnt', parseMountInfo(SAMPLE)), undefined)
})

t.test('any text is parsed to what makes sense in it', async () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('-', ' ', '\\040', '\n', 'a'))), (words) => {
      return parseMountInfo(words.join(' ')).every((entry) => typeof entry.mountpoint === 'string')
    }),
    { seed: 2 },
  )
})

t.test('the table of this process has the root', async (t) => {
  t.ok(findMount('/', readMountTable()))
})
