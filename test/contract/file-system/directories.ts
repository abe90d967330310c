/** Making and removing directories, their link counts and times. */
import { laterClock, subject, fails } from './contract.js'
import { names, readText, writeFile } from '../../helpers/posix/files.js'
import { S_IFDIR, S_IFMT } from '../../helpers/posix/constants.js'

export const directoriesContract = subject('directories', (it) => {
  it('makes a directory with the mode asked for, less the umask', async (t, c) => {
    await c.mkdir('d', 0o777)
    await c.withUmask(0).mkdir('wide', 0o1777)
    await c.withUmask(0o077).mkdir('narrow', 0o777)
    const mode = async (path: string): Promise<number> => (await c.stat(path)).mode
    t.equal(await mode('d'), S_IFDIR | 0o755)
    t.equal(await mode('wide'), S_IFDIR | 0o1777)
    t.equal(await mode('narrow'), S_IFDIR | 0o700)
  })

  it('refuses to make what is there, whatever it is', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'f')
    await c.symlink('nowhere', 's')
    for (const name of ['d', 'f', 's']) await fails(t, 'EEXIST', () => c.mkdir(name), name)
    await fails(t, 'ENOENT', () => c.mkdir('missing/d'))
    await fails(t, 'ENOTDIR', () => c.mkdir('f/d'))
  })

  it('takes a trailing slash as the name of a directory', async (t, c) => {
    await c.mkdir('d/')
    t.equal((await c.stat('d/')).mode & S_IFMT, S_IFDIR)
    await writeFile(c, 'f')
    await fails(t, 'ENOTDIR', () => c.stat('f/'))
    await fails(t, 'ENOTDIR', () => c.unlink('f/'))
    await fails(t, 'EISDIR', () => writeFile(c, 'new/'))
    await c.rmdir('d/')
    t.same(await names(c), ['f'])
  })

  it('removes an empty directory only', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'd/f')
    await fails(t, 'ENOTEMPTY', () => c.rmdir('d'))
    await c.unlink('d/f')
    await c.mkdir('d/e')
    await fails(t, 'ENOTEMPTY', () => c.rmdir('d'))
    await c.rmdir('d/e')
    await c.rmdir('d')
    await fails(t, 'ENOENT', () => c.stat('d'))
    await fails(t, 'ENOENT', () => c.rmdir('d'))
  })

  it('keeps rmdir for directories and unlink for the rest', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'f')
    await c.symlink('d', 's')
    await fails(t, 'ENOTDIR', () => c.rmdir('f'))
    await fails(t, 'ENOTDIR', () => c.rmdir('s'))
    await fails(t, 'EISDIR', () => c.unlink('d'))
    await c.unlink('s')
    t.same(await names(c), ['d', 'f'])
  })

  it('counts subdirectories in the link count', ['directory link counts'], async (t, c) => {
    const nlink = async (path: string): Promise<number> => (await c.stat(path)).nlink
    await c.mkdir('d')
    t.equal(await nlink('d'), 2)
    await c.mkdir('d/a')
    await c.mkdir('d/b')
    await writeFile(c, 'd/file')
    t.equal(await nlink('d'), 4)
    await c.mkdir('e')
    await c.rename('d/a', 'e/a')
    t.equal(await nlink('d'), 3)
    t.equal(await nlink('e'), 3)
    await c.rmdir('d/b')
    t.equal(await nlink('d'), 2)
    await c.rename('e/a', 'd/b')
    t.equal(await nlink('e'), 2)
    t.equal(await nlink('d'), 3)
  })

  it('points .. at the new parent after a rename', async (t, c) => {
    await c.mkdir('a')
    await c.mkdir('b')
    await c.mkdir('a/d')
    await writeFile(c, 'b/mark', 'in b')
    await c.rename('a/d', 'b/d')
    t.equal(await readText(c, 'b/d/../mark'), 'in b')
  })

  it('changes mtime and ctime of a directory when an entry comes or goes', async (t, c) => {
    await c.mkdir('d')
    await c.mkdir('e')
    await writeFile(c, 'f')
    const steps: [string, () => unknown][] = [
      ['create', () => writeFile(c, 'd/new')],
      ['link', () => c.link('f', 'd/linked')],
      ['symlink', () => c.symlink('x', 'd/symlink')],
      ['mkdir', () => c.mkdir('d/sub')],
      ['mknod', () => c.mknod('d/fifo', 0o010644)],
      ['unlink', () => c.unlink('d/new')],
      ['rmdir', () => c.rmdir('d/sub')],
      ['rename within', () => c.rename('d/linked', 'd/renamed')],
      ['rename out', () => c.rename('d/renamed', 'e/out')],
      ['rename in', () => c.rename('e/out', 'd/in')],
    ]
    for (const [name, step] of steps) {
      const before = await c.stat('d')
      await laterClock()
      await step()
      const after = await c.stat('d')
      t.ok(after.mtime > before.mtime, `${name} changes mtime`)
      t.ok(after.ctime > before.ctime, `${name} changes ctime`)
    }
  })

  it('leaves times and link counts of a directory alone when nothing in it changes', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'd/f')
    const before = await c.stat('d')
    await laterClock()
    await writeFile(c, 'd/f', 'new content')
    await c.chmod('d/f', 0o600)
    await fails(t, 'EEXIST', () => c.mkdir('d/f'))
    await fails(t, 'ENOENT', () => c.unlink('d/none'))
    const after = await c.stat('d')
    t.equal(after.mtime, before.mtime)
    t.equal(after.ctime, before.ctime)
    t.equal(after.nlink, before.nlink)
  })

  it('serves trees that are deep', async (t, c) => {
    let at = c
    for (let depth = 0; depth < 200; depth++) {
      await at.mkdir('d')
      at = at.in('d')
    }
    await writeFile(at, 'bottom', 'deep')
    t.equal(await readText(c, `${'d/'.repeat(200)}bottom`), 'deep')
    t.equal(await readText(at, `${'../'.repeat(200)}${'d/'.repeat(200)}bottom`), 'deep')
  })
})
