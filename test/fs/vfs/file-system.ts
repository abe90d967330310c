/** First steps of every operation; the operations' own rules are tested beside this file. */
import t from 'tap'
import { ROOT_INO } from '../../../src/fs/vfs/types.js'
import {
  exists,
  KEEP_PRIVILEGES,
  listDirectory,
  makeDirectory,
  makeFile,
  nameOf,
  openMemoryFs,
  readAll,
  remountAfterCrash,
  USER,
} from '../../helpers/open-memory-fs.js'

t.test('a new chain has an empty root directory', async (t) => {
  const { fs } = await openMemoryFs({ root: { mode: 0o750, uid: 5, gid: 6 } })
  t.match(fs.getAttributes(ROOT_INO), { mode: 0o40750, uid: 5, gid: 6, nlink: 2, ino: 1 })
  t.same(
    listDirectory(fs, ROOT_INO, Infinity, true).map(({ name, cookie }) => [name, cookie]),
    [
      ['.', 1],
      ['..', 2],
    ],
  )
  t.equal(exists(fs, ROOT_INO, '..')?.ino, ROOT_INO)
})

t.test('what is synced is there after a crash, what is not is gone', async (t) => {
  const mounted = await openMemoryFs()
  const { fs } = mounted
  const directory = await makeDirectory(fs, ROOT_INO, 'd')
  const file = await makeFile(fs, directory, 'f', 'hello')
  await fs.sync()
  await makeFile(fs, directory, 'lost', 'x')
  await fs.write(file, 5, Buffer.from(' lost'), KEEP_PRIVILEGES)
  const after = await remountAfterCrash(mounted)
  t.equal(exists(after.fs, ROOT_INO, 'd')?.ino, directory)
  t.equal(exists(after.fs, directory, 'f')?.ino, file)
  t.equal((await readAll(after.fs, file)).toString(), 'hello')
  t.equal(exists(after.fs, directory, 'lost'), undefined)
})

t.test('closing commits everything', async (t) => {
  const mounted = await openMemoryFs()
  const file = await makeFile(mounted.fs, ROOT_INO, 'f', 'hello')
  await mounted.fs.close()
  const after = await remountAfterCrash(mounted)
  t.equal((await readAll(after.fs, file)).toString(), 'hello')
})

t.test('rename moves a directory and its link counts', async (t) => {
  const { fs } = await openMemoryFs()
  const a = await makeDirectory(fs, ROOT_INO, 'a')
  const b = await makeDirectory(fs, ROOT_INO, 'b')
  const c = await makeDirectory(fs, a, 'c')
  await fs.rename(a, nameOf('c'), b, nameOf('moved'), 0, USER)
  t.equal(exists(fs, b, 'moved')?.ino, c)
  t.equal(exists(fs, c, '..')?.ino, b)
  t.equal(fs.getAttributes(a).nlink, 2)
  t.equal(fs.getAttributes(b).nlink, 3)
})

t.test('unlink removes the file and its records', async (t) => {
  const { fs, view } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'f', 'hello')
  await fs.setExtendedAttribute(file, 'user.x', Buffer.from('v'), 0, USER, false)
  await fs.sync()
  const before = [...view.all()].length
  await fs.unlink(ROOT_INO, nameOf('f'), USER)
  await fs.sync()
  t.equal([...view.all()].length, before - 3, 'entry, inode and attribute are gone')
  t.throws(() => fs.getAttributes(file), { code: 'STALE' })
})
