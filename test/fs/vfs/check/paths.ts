import t from 'tap'
import { escapeName } from '../../../../src/fs/vfs/check/escape-name.js'
import { PathFinder } from '../../../../src/fs/vfs/check/paths.js'
import { ROOT_INO } from '../../../../src/fs/vfs/types.js'
import { makeDirectory, makeFile, nameOf, openMemoryFs, USER } from '../../../helpers/open-memory-fs.js'

t.test('finds the path of an inode', async (t) => {
  const { fs, view } = await openMemoryFs()
  const a = await makeDirectory(fs, ROOT_INO, 'a')
  const b = await makeDirectory(fs, a, 'b')
  const file = await makeFile(fs, b, 'f')
  const top = await makeFile(fs, ROOT_INO, 'top')
  await fs.sync()
  const paths = new PathFinder(view)
  t.equal(paths.pathOf(ROOT_INO), '/')
  t.equal(paths.pathOf(a), '/a')
  t.equal(paths.pathOf(file), '/a/b/f')
  t.equal(paths.pathOf(b), '/a/b')
  t.equal(paths.pathOf(top), '/top')
  t.equal(paths.pathOf(999), undefined)
  t.equal(paths.entryPath(b, 'x'), '/a/b/x')
})

t.test('follows a file that moved', async (t) => {
  const { fs, view } = await openMemoryFs()
  const a = await makeDirectory(fs, ROOT_INO, 'a')
  const file = await makeFile(fs, ROOT_INO, 'f')
  await fs.rename(ROOT_INO, nameOf('f'), a, nameOf('g'), 0, USER)
  await fs.sync()
  t.equal(new PathFinder(view).pathOf(file), '/a/g')
})

t.test('names are shown as text where that is safe', async (t) => {
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
  t.equal(escapeName('plain name.txt'), 'plain name.txt')
  t.equal(escapeName(latin1('Grüße')), 'Grüße')
  t.equal(escapeName('\xff\xfe'), '\\xff\\xfe')
  t.equal(escapeName('a\nb\x1b[31m'), 'a\\x0ab\\x1b[31m')
  t.equal(escapeName(latin1('a\u202eb')), 'a\\xe2\\x80\\xaeb')
  t.equal(escapeName('back\\slash'), 'back\\x5cslash')
})
