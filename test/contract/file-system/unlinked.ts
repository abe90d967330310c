/** Files and directories that lose their last name while they are open. */
import { laterClock, subject, fails } from './contract.js'
import { names, readText, remainingEntries, withOpen, writeFile } from '../../helpers/posix/files.js'
import { O_DIRECTORY, O_RDONLY } from '../../helpers/posix/constants.js'

export const unlinkedContract = subject('unlinked while open', (it) => {
  it('can be read, written, cut and extended until the close', async (t, c) => {
    await writeFile(c, 'f', 'content')
    await withOpen(c, 'f', async (fd) => {
      await c.unlink('f')
      t.equal((await c.pread(fd, 100, 0)).toString(), 'content')
      await c.pwrite(fd, Buffer.alloc(200_000, 'y'), 100)
      t.equal((await c.pread(fd, 10, 200_090)).toString(), 'yyyyyyyyyy')
      await c.ftruncate(fd, 3)
      await c.fsync(fd)
      t.equal((await c.fstat(fd)).size, 3)
      t.equal((await c.pread(fd, 100, 0)).toString(), 'con')
      await fails(t, 'ENOENT', () => c.stat('f'))
    })
  })

  it('leaves no name behind', async (t, c) => {
    await writeFile(c, 'f')
    await withOpen(c, 'f', async (fd) => {
      await c.unlink('f')
      t.same(await names(c), [])
      t.equal((await c.fstat(fd)).nlink, 0)
    })
  })

  it('is served without a name as a directory, too', ['removed directories that are open'], async (t, c) => {
    await c.mkdir('d')
    await withOpen(
      c,
      'd',
      async (fd) => {
        await c.rmdir('d')
        t.same(await names(c), [])
        t.equal((await c.fstat(fd)).nlink, 0)
      },
      O_RDONLY | O_DIRECTORY,
    )
  })

  it('changes attributes and times like any other', async (t, c) => {
    await writeFile(c, 'f')
    await withOpen(c, 'f', async (fd) => {
      const before = await c.fstat(fd)
      await laterClock()
      await c.unlink('f')
      t.ok((await c.fstat(fd)).ctime > before.ctime)
      await c.fchmod(fd, 0o600)
      t.equal((await c.fstat(fd)).mode & 0o777, 0o600)
    })
  })

  it('is another file than one made under the same name', async (t, c) => {
    await writeFile(c, 'f', 'first')
    await withOpen(c, 'f', async (first) => {
      await c.unlink('f')
      await writeFile(c, 'f', 'second')
      await withOpen(c, 'f', async (second) => {
        t.not((await c.fstat(first)).ino, (await c.fstat(second)).ino)
        await c.pwrite(first, Buffer.from('FIRST'), 0)
        t.equal((await c.pread(second, 100, 0)).toString(), 'second')
        t.equal((await c.pread(first, 100, 0)).toString(), 'FIRST')
      })
    })
    t.equal(await readText(c, 'f'), 'second')
  })

  it('lives on under another name', async (t, c) => {
    await writeFile(c, 'f', 'x')
    await c.link('f', 'g')
    await withOpen(c, 'f', async (fd) => {
      await c.unlink('f')
      t.equal((await c.fstat(fd)).nlink, 1)
      await c.pwrite(fd, Buffer.from('through the handle'), 0)
    })
    t.equal(await readText(c, 'g'), 'through the handle')
  })

  it('empties a directory that is removed while open', async (t, c) => {
    await c.mkdir('d')
    await withOpen(
      c,
      'd',
      async (fd) => {
        await c.rmdir('d')
        const left = await remainingEntries(c, fd).catch(() => [])
        t.same(
          left.filter(({ name }) => !/^\.\.?$/.test(name.toString())),
          [],
        )
      },
      O_RDONLY | O_DIRECTORY,
    )
  })

  it('gives back the space of many such files', async (t, c) => {
    for (let round = 0; round < 20; round++) {
      await writeFile(c, 'f', Buffer.alloc(300_000, round))
      await withOpen(c, 'f', async (fd) => {
        await c.unlink('f')
        t.equal((await c.pread(fd, 1, 299_999))[0], round)
      })
    }
    t.same(await names(c), [])
  })
})
