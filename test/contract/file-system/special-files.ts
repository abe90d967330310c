/** FIFOs, sockets and device nodes. */
import { subject, fails } from './contract.js'
import { entries, withOpen, writeFile } from '../../helpers/posix/files.js'
import {
  DT,
  O_RDWR,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../helpers/posix/constants.js'

export const specialFilesContract = subject('special files', (it) => {
  it('makes regular files, FIFOs and sockets by mknod', async (t, c) => {
    for (const [name, type] of [
      ['r', S_IFREG],
      ['p', S_IFIFO],
      ['s', S_IFSOCK],
    ] as const) {
      await c.mknod(name, type | 0o666)
      const { mode, nlink, size } = await c.lstat(name)
      t.equal(mode, type | 0o644)
      t.same([nlink, size], [1, 0])
      await fails(t, 'EEXIST', () => c.mknod(name, type | 0o666))
    }
    await c.mknod('typeless', 0o600)
    t.equal((await c.lstat('typeless')).mode, S_IFREG | 0o600)
    await fails(t, 'EPERM', () => c.mknod('d', S_IFDIR | 0o755))
    await fails(t, 'ENOENT', () => c.mknod('none/p', S_IFIFO | 0o644))
  })

  it('keeps the numbers of device nodes', ['device nodes'], async (t, c) => {
    const devices = [
      [S_IFCHR, 1, 3],
      [S_IFBLK, 8, 0],
      [S_IFCHR, 0xfff, 0xfffff],
      [S_IFBLK, 259, 300],
    ] as const
    for (const [type, major, minor] of devices) {
      await c.mknod('n', type | 0o600, major, minor)
      const { mode, rdevMajor, rdevMinor } = await c.lstat('n')
      t.equal(mode & S_IFMT, type)
      t.same([rdevMajor, rdevMinor], [major, minor])
      await c.unlink('n')
    }
  })

  it('lists each with its type and number', async (t, c) => {
    await writeFile(c, 'f')
    await c.mkdir('d')
    await c.symlink('x', 'l')
    await c.mknod('p', S_IFIFO | 0o644)
    await c.mknod('s', S_IFSOCK | 0o644)
    const wanted = new Map([
      ['f', DT.REG],
      ['d', DT.DIR],
      ['l', DT.LNK],
      ['p', DT.FIFO],
      ['s', DT.SOCK],
      ['.', DT.DIR],
      ['..', DT.DIR],
    ])
    const listed = await entries(c, '.')
    t.same(new Map(listed.map(({ name, type }) => [name.toString(), type])), wanted)
    for (const { name, ino } of listed) t.equal(ino, (await c.lstat(name)).ino, name.toString())
  })

  it('links, renames, chmods and removes them like files', async (t, c) => {
    await c.mknod('p', S_IFIFO | 0o644)
    await c.link('p', 'q')
    await c.rename('p', 'r')
    await c.chmod('r', 0o600)
    const { mode, nlink } = await c.lstat('q')
    t.equal(mode, S_IFIFO | 0o600)
    t.equal(nlink, 2)
    await c.unlink('q')
    await c.unlink('r')
    await fails(t, 'ENOENT', () => c.lstat('r'))
  })

  it('passes bytes through a FIFO', ['kernel'], async (t, c) => {
    await c.mknod('p', S_IFIFO | 0o644)
    await withOpen(
      c,
      'p',
      async (fd) => {
        await c.write(fd, Buffer.from('through'))
        t.equal((await c.read(fd, 100)).toString(), 'through')
      },
      O_RDWR,
    )
    t.equal((await c.lstat('p')).size, 0)
  })

  it('opens a socket node for nobody', ['kernel'], async (t, c) => {
    await c.mknod('s', S_IFSOCK | 0o644)
    await fails(t, 'ENXIO', () => c.open('s', O_RDWR))
  })
})
