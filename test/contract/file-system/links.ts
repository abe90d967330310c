/** Hard links and symlinks. */
import { laterClock, subject, fails } from './contract.js'
import { entries, names, readText, writeFile } from '../../helpers/posix/files.js'
import { DT, S_IFLNK } from '../../helpers/posix/constants.js'

export const linksContract = subject('links', (it) => {
  it('gives one file several names', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'a', 'one')
    await c.link('a', 'b')
    await c.link('b', 'd/c')
    const [a, b, third] = [await c.stat('a'), await c.stat('b'), await c.stat('d/c')]
    t.equal(a.nlink, 3)
    t.equal(a.ino, b.ino)
    t.equal(a.ino, third.ino)
    await writeFile(c, 'd/c', 'two')
    await c.chmod('b', 0o600)
    t.equal(await readText(c, 'a'), 'two')
    t.equal((await c.stat('a')).mode & 0o777, 0o600)
    await c.unlink('a')
    t.equal((await c.stat('b')).nlink, 2)
    await c.unlink('b')
    t.equal((await c.stat('d/c')).nlink, 1)
    t.equal(await readText(c, 'd/c'), 'two')
  })

  it('changes ctime, not mtime, of a file that gains or loses a name', async (t, c) => {
    await writeFile(c, 'a', 'x')
    for (const step of [() => c.link('a', 'b'), () => c.unlink('b')]) {
      const before = await c.stat('a')
      await laterClock()
      await step()
      const after = await c.stat('a')
      t.ok(after.ctime > before.ctime)
      t.equal(after.mtime, before.mtime)
    }
  })

  it('refuses hard links to directories, onto names in use and from nothing', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'f')
    await writeFile(c, 'g')
    await fails(t, 'EPERM', () => c.link('d', 'e'))
    await fails(t, 'EEXIST', () => c.link('f', 'g'))
    await fails(t, 'EEXIST', () => c.link('f', 'd'))
    await fails(t, 'ENOENT', () => c.link('none', 'e'))
    await fails(t, 'ENOENT', () => c.link('f', 'none/e'))
    await fails(t, 'ENOTDIR', () => c.link('f', 'g/e'))
    t.equal((await c.stat('f')).nlink, 1)
  })

  it('keeps the bytes of a symlink, whatever they are', ['names that are not UTF-8'], async (t, c) => {
    const target = Buffer.from([0xff, 0x2f, 0x0a, 0x20, 0xc3, 0x28])
    await c.symlink(target, 's')
    t.same(await c.readlink('s'), target)
  })

  it('takes symlinks of 1 to 4095 bytes', async (t, c) => {
    await c.symlink('x', 's')
    t.equal((await c.readlink('s')).toString(), 'x')
    const longest = 'x/'.repeat(2047) + 'x'
    await c.symlink(longest, 'long')
    t.equal((await c.readlink('long')).toString(), longest)
    const { size, mode, nlink } = await c.lstat('long')
    t.equal(size, 4095)
    t.equal(mode, S_IFLNK | 0o777)
    t.equal(nlink, 1)
    await fails(t, 'ENAMETOOLONG', () => c.symlink('x'.repeat(4096), 'longer'))
    await fails(t, 'ENOENT', () => c.symlink('', 'empty'))
  })

  it('follows symlinks to files and directories', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'd/f', 'here')
    await c.symlink('d', 'to-d')
    await c.symlink('to-d/f', 'to-f')
    await c.symlink('../d/f', 'd/up')
    t.equal(await readText(c, 'to-d/f'), 'here')
    t.equal(await readText(c, 'to-f'), 'here')
    t.equal(await readText(c, 'to-d/up'), 'here')
    t.equal((await c.stat('to-f')).ino, (await c.lstat('d/f')).ino)
    t.not((await c.lstat('to-f')).ino, (await c.lstat('d/f')).ino)
    t.same(await names(c, 'to-d'), ['f', 'up'])
    t.equal((await c.lstat('to-d/')).ino, (await c.stat('d')).ino, 'a trailing slash follows')
  })

  it('lists a symlink as one', async (t, c) => {
    await c.symlink('nowhere', 's')
    t.equal((await entries(c, '.')).find((entry) => entry.name.toString() === 's')?.type, DT.LNK)
  })

  it('ends loops with ELOOP after forty steps', async (t, c) => {
    await c.symlink('b', 'a')
    await c.symlink('a', 'b')
    await c.symlink('self/x', 'self')
    await fails(t, 'ELOOP', () => c.stat('a'))
    await fails(t, 'ELOOP', () => c.stat('self'))
    await fails(t, 'ELOOP', () => writeFile(c, 'a'))
    await writeFile(c, 'n0', 'end')
    for (let step = 1; step <= 41; step++) await c.symlink(`n${step - 1}`, `n${step}`)
    t.equal(await readText(c, 'n40'), 'end')
    await fails(t, 'ELOOP', () => readText(c, 'n41'))
  })

  it('fails on what a symlink does not reach', async (t, c) => {
    await c.symlink('nowhere', 's')
    await writeFile(c, 'f')
    await fails(t, 'ENOENT', () => c.stat('s'))
    await fails(t, 'ENOENT', () => c.chmod('s', 0o600))
    await fails(t, 'EEXIST', () => c.symlink('x', 's'))
    await fails(t, 'EINVAL', () => c.readlink('f'))
    await fails(t, 'EINVAL', () => c.readlink('.'))
    await fails(t, 'ENOENT', () => c.readlink('none'))
  })

  it('links, renames and removes a symlink itself, not what it points to', async (t, c) => {
    await writeFile(c, 'f', 'kept')
    await c.symlink('f', 's')
    await c.link('s', 'hard')
    t.equal((await c.lstat('hard')).ino, (await c.lstat('s')).ino)
    await c.rename('s', 'moved')
    t.equal((await c.readlink('moved')).toString(), 'f')
    await c.unlink('moved')
    await c.unlink('hard')
    t.equal(await readText(c, 'f'), 'kept')
  })
})
