/** Paths to their greatest length, and which errno each mistake gives in each call. */
import { subject, fails } from './contract.js'
import { readText, withOpen, writeFile } from '../../helpers/posix/files.js'
import type { PosixClient } from '../../helpers/posix/client.js'
import { O_CREAT, O_WRONLY } from '../../helpers/posix/constants.js'

type Call = [name: string, call: (c: PosixClient, path: string) => unknown]

const looking: Call[] = [
  ['stat', (c, path) => c.stat(path)],
  ['lstat', (c, path) => c.lstat(path)],
  ['open', (c, path) => c.open(path, 0)],
  ['access', (c, path) => c.access(path, 0)],
  ['chmod', (c, path) => c.chmod(path, 0o644)],
  ['chown', (c, path) => c.chown(path, -1, -1)],
  ['utimens', (c, path) => c.utimens(path, 'now', 'now')],
  ['truncate', (c, path) => c.truncate(path, 0)],
  ['readlink', (c, path) => c.readlink(path)],
  ['unlink', (c, path) => c.unlink(path)],
  ['rmdir', (c, path) => c.rmdir(path)],
  ['link', (c, path) => c.link(path, 'new')],
  ['rename', (c, path) => c.rename(path, 'new')],
  ['getxattr', (c, path) => c.getxattr(path, 'user.a')],
  ['listxattr', (c, path) => c.listxattr(path)],
  ['statfs', (c, path) => c.statfs(path)],
]

const making: Call[] = [
  ['open to create', (c, path) => c.open(path, O_WRONLY | O_CREAT)],
  ['mkdir', (c, path) => c.mkdir(path)],
  ['mknod', (c, path) => c.mknod(path, 0o010644)],
  ['symlink', (c, path) => c.symlink('x', path)],
  ['link to', (c, path) => c.link('f', path)],
  ['rename to', (c, path) => c.rename('f', path)],
]

export const pathsContract = subject('paths', (it) => {
  it('serves the longest path there is and refuses a longer one', async (t, c) => {
    const step = `${'p'.repeat(100)}/`
    let at = c
    let length = c.maxPathBytes
    for (; length > 255; length -= step.length) {
      await at.mkdir(step.slice(0, -1))
      at = at.in(step.slice(0, -1))
    }
    const path = step.repeat((c.maxPathBytes - length) / step.length) + 'f'.repeat(length)
    t.equal(path.length, c.maxPathBytes)
    await writeFile(c, path, 'far')
    t.equal(await readText(c, path), 'far')
    await fails(t, 'ENAMETOOLONG', () => c.stat(path + 'f'))
    await fails(t, 'ENAMETOOLONG', () => c.mkdir(`${path}/d`))
  })

  it('answers ENOENT for what is missing, the last name or one before', async (t, c) => {
    for (const [name, call] of looking) {
      await fails(t, 'ENOENT', () => call(c, 'none'), `${name} of a missing name`)
      await fails(t, 'ENOENT', () => call(c, 'none/x'), `${name} below a missing name`)
    }
    await writeFile(c, 'f')
    for (const [name, call] of making) await fails(t, 'ENOENT', () => call(c, 'none/x'), `${name} below a missing name`)
  })

  it('answers ENOTDIR below what is no directory', async (t, c) => {
    await writeFile(c, 'f')
    await c.symlink('f', 's')
    for (const [name, call] of [...looking, ...making]) {
      await fails(t, 'ENOTDIR', () => call(c, 'f/x'), `${name} below a file`)
      await fails(t, 'ENOTDIR', () => call(c, 's/x'), `${name} below a symlink to one`)
    }
  })

  it('answers ELOOP below a symlink to itself', async (t, c) => {
    await writeFile(c, 'f')
    await c.symlink('loop', 'loop')
    for (const [name, call] of [...looking, ...making]) await fails(t, 'ELOOP', () => call(c, 'loop/x'), name)
  })

  it(
    'answers EACCES behind a directory that may not be searched',
    ['other users', 'permission checks'],
    async (t, c) => {
      await c.chmod('.', 0o777)
      await writeFile(c, 'f')
      await c.mkdir('closed')
      await c.chmod('closed', 0o644)
      const bob = c.as({ uid: 1002, gid: 1002 })
      for (const [name, call] of [...looking, ...making]) await fails(t, 'EACCES', () => call(bob, 'closed/x'), name)
    },
  )

  it('answers EBADF for a handle that is closed', async (t, c) => {
    await writeFile(c, 'f')
    const fd = await withOpen(c, 'f', (fd) => fd)
    const calls: [string, () => unknown][] = [
      ['pread', () => c.pread(fd, 1, 0)],
      ['pwrite', () => c.pwrite(fd, Buffer.of(1), 0)],
      ['fstat', () => c.fstat(fd)],
      ['ftruncate', () => c.ftruncate(fd, 0)],
      ['fsync', () => c.fsync(fd)],
      ['close', () => c.close(fd)],
    ]
    for (const [name, call] of calls) await fails(t, 'EBADF', call, name)
  })

  it('tells the size of the file system and the longest name', async (t, c) => {
    const { blockBytes, blocks, freeBlocks, availableBlocks, maxNameBytes } = await c.statfs('.')
    t.equal(maxNameBytes, 255)
    t.ok(blockBytes >= 512 && blocks > 0)
    t.ok(blocks >= freeBlocks && freeBlocks >= availableBlocks && availableBlocks > 0)
  })

  it('syncs files and directories', async (t, c) => {
    await writeFile(c, 'f', 'x')
    await withOpen(c, 'f', (fd) => c.fsync(fd))
    await withOpen(c, '.', (fd) => c.fsync(fd), 0)
    t.equal(await readText(c, 'f'), 'x')
  })
})
