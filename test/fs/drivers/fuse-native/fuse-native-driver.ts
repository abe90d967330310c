/** What only this driver does, on a real mount: libfuse's hidden files, buffers of any size, and the end of a mount. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { MountedSystem } from '../../../helpers/posix/mounted-system.js'
import { fails } from '../../../contract/file-system/contract.js'
import { names, readText, withOpen, writeFile } from '../../../helpers/posix/files.js'

const system = await MountedSystem.start(t, 'fuse-native', {})
const c = system.client

t.test('a file removed while open is listed nowhere, and its directory stays until it is closed', async (t) => {
  c.mkdir('d')
  await writeFile(c, 'd/f', 'content')
  await withOpen(c, 'd/f', async (fd) => {
    c.unlink('d/f')
    t.same(await names(c, 'd'), [])
    await fails(t, 'ENOTEMPTY', () => c.rmdir('d'))
    c.mkdir('e')
    await fails(t, 'ENOTEMPTY', () => c.rename('e', 'd'))
    c.rename('d', 'moved')
    t.equal(c.pread(fd, 100, 0).toString(), 'content', 'also in a directory that was renamed')
    c.pwrite(fd, Buffer.from('CONTENT'), 0)
    t.equal(c.pread(fd, 100, 0).toString(), 'CONTENT')
  })
  c.rmdir('moved')
  c.rmdir('e')
  t.same(await names(c), [])
})

t.test('a file replaced while open is read to its end', async (t) => {
  await writeFile(c, 'old', 'old content')
  await writeFile(c, 'new', 'new content')
  await withOpen(c, 'old', async (fd) => {
    c.rename('new', 'old')
    t.equal(c.pread(fd, 100, 0).toString(), 'old content')
    t.equal(await readText(c, 'old'), 'new content')
  })
  t.same(await names(c), ['old'])
  c.unlink('old')
})

t.test('a user may give a file a name like libfuse’s own', async (t) => {
  const name = '.fuse_hidden0123456789abcdef'
  await writeFile(c, 'f', 'kept')
  c.rename('f', name)
  t.equal(await readText(c, name), 'kept')
  c.rename(name, 'f')
  t.equal(await readText(c, 'f'), 'kept')
  c.unlink('f')
})

t.test('attributes fit the caller’s buffer or are refused', async (t) => {
  await writeFile(c, 'f')
  c.setxattr('f', 'user.long', Buffer.alloc(5000, 'v'))
  c.setxattr('f', 'user.empty', Buffer.alloc(0))
  await fails(t, 'ERANGE', () => c.getxattrInto('f', 'user.long', 100))
  t.equal(c.getxattrInto('f', 'user.long', 0), 5000)
  t.equal(c.getxattr('f', 'user.empty').length, 0)
  const accessList = Buffer.from('0200000001000700ffffffff04000500ffffffff20000100ffffffff', 'hex')
  await fails(t, 'EOPNOTSUPP', () => c.setxattr('f', 'system.posix_acl_access', accessList))
  c.unlink('f')
})

t.test('both names of a file show its size at once', async (t) => {
  await writeFile(c, 'a', 'one')
  c.link('a', 'b')
  t.equal(c.stat('b').size, 3)
  await writeFile(c, 'a', 'longer than before')
  t.equal(c.stat('b').size, 18)
  t.equal(await readText(c, 'b'), 'longer than before')
  c.unlink('a')
  c.unlink('b')
})

t.test('a mount unmounted by others is noticed', async (t) => {
  const other = await MountedSystem.start(t, 'fuse-native', {})
  const unmounted = spawnSync('umount', [other.client.root.toString()])
  t.equal(unmounted.status, 0)
  await other.ended()
  t.pass('its driver says so')
})
