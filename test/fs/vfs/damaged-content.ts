/** Content that cannot be read: an I/O error for the reader, and one line in the log that says why. */
import t from 'tap'
import { decodeInode, encodeInode } from '../../../src/fs/vfs/records/inode-record.js'
import { KIND_INODE } from '../../../src/fs/vfs/records/record-kinds.js'
import { ROOT_INO } from '../../../src/fs/vfs/types.js'
import {
  makeFile,
  openMemoryFs,
  readAll,
  remountAfterCrash,
  type MemoryFileSystem,
} from '../../helpers/open-memory-fs.js'

/** Files one and two, whose content is gone, and whole. */
async function damaged(): Promise<MemoryFileSystem & { one: number; two: number; whole: number }> {
  const mounted = await openMemoryFs()
  const { fs, view } = mounted
  const one = await makeFile(fs, ROOT_INO, 'one', 'secret of one')
  const two = await makeFile(fs, ROOT_INO, 'two', 'secret of two')
  const whole = await makeFile(fs, ROOT_INO, 'whole', 'whole')
  await fs.sync()
  for (const ino of [one, two]) {
    const inode = decodeInode(ino, view.get(KIND_INODE, 0, ino) ?? new Uint8Array())
    inode.body = 999
    view.put(KIND_INODE, 0, ino, encodeInode(inode))
  }
  await view.commit()
  return { ...(await remountAfterCrash(mounted)), one, two, whole }
}

for (const hasSlowBodies of [false, true]) {
  t.test(`damaged content leaves one line a file in the log, ${hasSlowBodies ? 'fetched' : 'at once'}`, async (t) => {
    const { fs, view, warnings, one, two, whole } = await damaged()
    view.hasSlowBodies = hasSlowBodies
    for (let round = 0; round < 3; round++) {
      for (const ino of [one, two]) await t.rejects(readAll(fs, ino), { code: 'BODY_DAMAGED' })
    }
    t.equal((await readAll(fs, whole)).toString(), 'whole')
    t.same(
      warnings,
      [one, two].map((ino) => `Content of inode ${ino} cannot be read: it is damaged. Run fsck.`),
    )
  })
}
