/** open(2) and its flags. */
import { subject, fails } from './contract.js'
import { names, readText, withOpen, writeFile } from '../../helpers/posix/files.js'
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  S_IFREG,
} from '../../helpers/posix/constants.js'

export const openContract = subject('open', (it) => {
  it('creates with the mode asked for, less the umask', async (t, c) => {
    await c.close(await c.open('plain', O_WRONLY | O_CREAT, 0o666))
    await c.close(await c.withUmask(0o077).open('narrow', O_WRONLY | O_CREAT, 0o777))
    await c.close(await c.withUmask(0).open('odd', O_WRONLY | O_CREAT, 0o6751))
    t.equal((await c.stat('plain')).mode, S_IFREG | 0o644)
    t.equal((await c.stat('narrow')).mode, S_IFREG | 0o700)
    t.equal((await c.stat('odd')).mode, S_IFREG | 0o6751)
  })

  it('gives the creator its handle even when the mode forbids it', async (t, c) => {
    const fd = await c.open('f', O_RDWR | O_CREAT, 0o000)
    await c.pwrite(fd, Buffer.from('mine'), 0)
    t.equal((await c.pread(fd, 10, 0)).toString(), 'mine')
    await c.close(fd)
  })

  it('fails with O_EXCL when the name is there, even as a dangling symlink', async (t, c) => {
    await writeFile(c, 'f', 'old')
    await c.mkdir('d')
    await c.symlink('nowhere', 's')
    for (const name of ['f', 'd', 's']) await fails(t, 'EEXIST', () => c.open(name, O_WRONLY | O_CREAT | O_EXCL), name)
    t.equal(await readText(c, 'f'), 'old')
    t.same(await names(c), ['d', 'f', 's'])
  })

  it('creates through a dangling symlink', async (t, c) => {
    await c.symlink('target', 's')
    await writeFile(c, 's', 'through')
    t.equal(await readText(c, 'target'), 'through')
  })

  it('empties a file with O_TRUNC and keeps its inode', async (t, c) => {
    await writeFile(c, 'f', 'a'.repeat(10_000))
    const before = await c.stat('f')
    await c.close(await c.open('f', O_WRONLY | O_TRUNC))
    const after = await c.stat('f')
    t.equal(after.size, 0)
    t.equal(after.blocks, 0)
    t.equal(after.ino, before.ino)
  })

  it('truncates under a reader that has the file open', async (t, c) => {
    await writeFile(c, 'f', 'long content')
    await withOpen(c, 'f', async (fd) => {
      await writeFile(c, 'f', 'short')
      t.equal((await c.pread(fd, 100, 0)).toString(), 'short')
    })
  })

  it('appends at the end with O_APPEND, whatever the position', async (t, c) => {
    await writeFile(c, 'f', 'one')
    await withOpen(
      c,
      'f',
      async (first) => {
        await withOpen(
          c,
          'f',
          async (second) => {
            await c.write(first, Buffer.from(' two'))
            await c.write(second, Buffer.from(' three'))
            await c.lseek(first, 0, 0)
            await c.write(first, Buffer.from(' four'))
            await c.pwrite(second, Buffer.from(' five'), 0)
          },
          O_WRONLY | O_APPEND,
        )
      },
      O_WRONLY | O_APPEND,
    )
    t.equal(await readText(c, 'f'), 'one two three four five')
  })

  it('moves the position with read and write', async (t, c) => {
    await withOpen(
      c,
      'f',
      async (fd) => {
        await c.write(fd, Buffer.from('hello '))
        await c.write(fd, Buffer.from('world'))
        t.equal(await c.lseek(fd, 0, 1), 11n)
        await c.lseek(fd, -5, 2)
        t.equal((await c.read(fd, 100)).toString(), 'world')
        t.equal((await c.read(fd, 100)).length, 0)
        await c.lseek(fd, 0, 0)
        t.equal((await c.read(fd, 5)).toString(), 'hello')
        await fails(t, 'EINVAL', () => c.lseek(fd, -1, 0))
      },
      O_RDWR | O_CREAT,
    )
  })

  it('refuses what the access mode does not allow', async (t, c) => {
    await writeFile(c, 'f', 'x')
    await withOpen(c, 'f', (fd) => fails(t, 'EBADF', () => c.pwrite(fd, Buffer.of(1), 0)), O_RDONLY)
    await withOpen(c, 'f', (fd) => fails(t, 'EBADF', () => c.pread(fd, 1, 0)), O_WRONLY)
    await withOpen(c, 'f', (fd) => fails(t, 'EINVAL', () => c.ftruncate(fd, 0)), O_RDONLY)
  })

  it('fails for what is missing or of the wrong kind', async (t, c) => {
    await writeFile(c, 'f')
    await c.mkdir('d')
    await c.symlink('f', 's')
    await fails(t, 'ENOENT', () => c.open('none', O_RDONLY))
    await fails(t, 'ENOENT', () => c.open('none/f', O_WRONLY | O_CREAT))
    await fails(t, 'ENOTDIR', () => c.open('f/x', O_RDONLY))
    await fails(t, 'ENOTDIR', () => c.open('f', O_RDONLY | O_DIRECTORY))
    await fails(t, 'EISDIR', () => c.open('d', O_WRONLY))
    await fails(t, 'EISDIR', () => c.open('d', O_RDWR | O_CREAT))
    await fails(t, 'ELOOP', () => c.open('s', O_RDONLY | O_NOFOLLOW))
    await withOpen(c, 'd', (fd) => fails(t, 'EISDIR', () => c.pread(fd, 1, 0)), O_RDONLY)
  })

  it('makes a file without a name that can be named later', ['temporary files'], async (t, c) => {
    const fd = await c.open('.', O_RDWR | O_TMPFILE, 0o640)
    t.equal((await c.fstat(fd)).nlink, 0)
    t.same(await names(c), [])
    await c.pwrite(fd, Buffer.from('late name'), 0)
    await c.linkFd(fd, 'named')
    const { nlink, mode } = await c.fstat(fd)
    t.equal(nlink, 1)
    t.equal(mode, S_IFREG | 0o640)
    await c.close(fd)
    t.equal(await readText(c, 'named'), 'late name')
  })

  it('forgets a file without a name at its close', ['temporary files'], async (t, c) => {
    const fd = await c.open('.', O_RDWR | O_TMPFILE)
    await c.pwrite(fd, Buffer.alloc(100_000, 1), 0)
    t.equal((await c.pread(fd, 3, 99_990)).length, 3)
    await c.close(fd)
    t.same(await names(c), [])
    await fails(t, 'EINVAL', () => c.open('.', O_RDONLY | O_TMPFILE), 'and needs write access')
  })
})
