/** rename(2) and renameat2(2). */
import { laterClock, subject, fails } from './contract.js'
import { names, readText, withOpen, writeFile } from '../../helpers/posix/files.js'
import {
  O_RDONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFCHR,
  S_IFMT,
} from '../../helpers/posix/constants.js'

export const renameContract = subject('rename', (it) => {
  it('moves a file within and between directories and keeps its inode', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'a', 'moved')
    const { ino } = await c.stat('a')
    await c.rename('a', 'b')
    await c.rename('b', 'd/c')
    t.equal((await c.stat('d/c')).ino, ino)
    t.equal(await readText(c, 'd/c'), 'moved')
    t.same(await names(c), ['d'])
    await fails(t, 'ENOENT', () => c.stat('a'))
  })

  it('replaces a file, which lives on for those who have it open', async (t, c) => {
    await writeFile(c, 'old', 'old content')
    await writeFile(c, 'new', 'new content')
    await withOpen(
      c,
      'old',
      async (fd) => {
        await c.rename('new', 'old')
        t.equal((await c.pread(fd, 100, 0)).toString(), 'old content')
      },
      O_RDONLY,
    )
    t.equal(await readText(c, 'old'), 'new content')
    t.same(await names(c), ['old'])
  })

  it('lowers the link count of what it replaces', async (t, c) => {
    await writeFile(c, 'victim')
    await c.link('victim', 'other')
    await writeFile(c, 'a')
    const before = await c.stat('other')
    await laterClock()
    await c.rename('a', 'victim')
    const after = await c.stat('other')
    t.equal(after.nlink, 1)
    t.ok(after.ctime > before.ctime)
  })

  it('does nothing when both names are one file', async (t, c) => {
    await writeFile(c, 'a', 'x')
    await c.link('a', 'b')
    await c.rename('a', 'b')
    await c.rename('a', 'a')
    t.same(await names(c), ['a', 'b'])
    t.equal((await c.stat('a')).nlink, 2)
  })

  it('replaces an empty directory by a directory', async (t, c) => {
    await c.mkdir('a')
    await writeFile(c, 'a/f', 'in a')
    await c.mkdir('b')
    await c.rename('a', 'b')
    t.equal(await readText(c, 'b/f'), 'in a')
    t.same(await names(c), ['b'])
  })

  it('refuses mismatched kinds, full directories and loops', async (t, c) => {
    await c.mkdir('d')
    await c.mkdir('d/e')
    await c.mkdir('full')
    await writeFile(c, 'full/x')
    await writeFile(c, 'f')
    await fails(t, 'EISDIR', () => c.rename('f', 'd'))
    await fails(t, 'ENOTDIR', () => c.rename('d', 'f'))
    await fails(t, 'ENOTEMPTY', () => c.rename('d', 'full'))
    await fails(t, 'EINVAL', () => c.rename('d', 'd/e/new'))
    await fails(t, 'EINVAL', () => c.rename('d', 'd/new'))
    await fails(t, 'ENOTEMPTY', () => c.rename('d/e', 'd'))
    await fails(t, 'ENOENT', () => c.rename('none', 'x'))
    await fails(t, 'ENOENT', () => c.rename('f', 'none/x'))
    await fails(t, 'ENOTDIR', () => c.rename('f/x', 'y'))
    await fails(t, 'ENOTDIR', () => c.rename('f', 'y/'))
    t.same(await names(c), ['d', 'f', 'full'])
  })

  it('renames directories with what is in them', async (t, c) => {
    await c.mkdir('a')
    await c.mkdir('a/b')
    await writeFile(c, 'a/b/f', 'deep')
    await c.mkdir('target')
    await withOpen(
      c,
      'a/b',
      async (fd) => {
        await c.rename('a', 'target/moved')
        t.equal((await c.fstat(fd)).ino, (await c.stat('target/moved/b')).ino)
      },
      O_RDONLY,
    )
    t.equal(await readText(c, 'target/moved/b/f'), 'deep')
    await fails(t, 'ENOENT', () => c.stat('a/b/f'))
  })

  it('changes the ctime of what is moved, not its mtime', async (t, c) => {
    await writeFile(c, 'a')
    const before = await c.stat('a')
    await laterClock()
    await c.rename('a', 'b')
    const after = await c.stat('b')
    t.ok(after.ctime > before.ctime)
    t.equal(after.mtime, before.mtime)
  })

  it('replaces symlinks themselves', async (t, c) => {
    await writeFile(c, 'target', 'kept')
    await c.symlink('target', 's')
    await writeFile(c, 'f', 'new')
    await c.rename('f', 's')
    t.equal(await readText(c, 'target'), 'kept')
    t.equal(await readText(c, 's'), 'new')
  })

  it('does not replace with NOREPLACE', ['rename flags'], async (t, c) => {
    await writeFile(c, 'a', 'a')
    await writeFile(c, 'b', 'b')
    await fails(t, 'EEXIST', () => c.rename('a', 'b', RENAME_NOREPLACE))
    t.equal(await readText(c, 'b'), 'b')
    await c.rename('a', 'c', RENAME_NOREPLACE)
    t.same(await names(c), ['b', 'c'])
  })

  it('swaps two names with EXCHANGE, of any kind, across directories', ['rename flags'], async (t, c) => {
    await c.mkdir('d')
    await c.mkdir('d/sub')
    await writeFile(c, 'd/sub/x', 'in sub')
    await writeFile(c, 'f', 'file')
    await c.rename('f', 'd/sub', RENAME_EXCHANGE)
    t.equal(await readText(c, 'd/sub'), 'file')
    t.equal(await readText(c, 'f/x'), 'in sub')
    t.equal((await c.stat('f/..')).ino, (await c.stat('.')).ino)
    await fails(t, 'ENOENT', () => c.rename('f', 'none', RENAME_EXCHANGE))
    await fails(t, 'EINVAL', () => c.rename('f', 'f/x', RENAME_EXCHANGE))
    await fails(t, 'EINVAL', () => c.rename('f', 'd', RENAME_EXCHANGE | RENAME_NOREPLACE))
  })

  it(
    'moves link counts with an EXCHANGE of a directory and a file',
    ['rename flags', 'directory link counts'],
    async (t, c) => {
      await c.mkdir('a')
      await c.mkdir('b')
      await c.mkdir('a/d')
      await writeFile(c, 'b/f')
      await c.rename('a/d', 'b/f', RENAME_EXCHANGE)
      t.equal((await c.stat('a')).nlink, 2)
      t.equal((await c.stat('b')).nlink, 3)
      await c.rename('b/f', 'a/d', RENAME_EXCHANGE)
      t.equal((await c.stat('a')).nlink, 3)
      t.equal((await c.stat('b')).nlink, 2)
    },
  )

  it('leaves a whiteout behind', ['rename flags', 'whiteouts'], async (t, c) => {
    await writeFile(c, 'a', 'x')
    await c.rename('a', 'b', RENAME_WHITEOUT)
    t.equal(await readText(c, 'b'), 'x')
    const left = await c.lstat('a')
    t.equal(left.mode & S_IFMT, S_IFCHR)
    t.same([left.rdevMajor, left.rdevMinor], [0, 0])
  })
})
