/** Extended attributes. */
import { subject, fails } from './contract.js'
import { readText, withOpen, writeFile } from '../../helpers/posix/files.js'
import { XATTR_CREATE, XATTR_REPLACE } from '../../helpers/posix/constants.js'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

export const attributesContract = subject('extended attributes', (it) => {
  it('keeps values of any bytes, also none', async (t, c) => {
    await writeFile(c, 'f')
    const values: [string, Buffer][] = [
      ['user.text', bytes('value')],
      ['user.empty', Buffer.alloc(0)],
      ['user.binary', bytes('\0\xff\n\0')],
      ['user.long', Buffer.alloc(2000, 7)],
    ]
    for (const [name, value] of values) await c.setxattr('f', name, value)
    for (const [name, value] of values) t.same(await c.getxattr('f', name), value, name)
    t.same((await c.listxattr('f')).sort(), values.map(([name]) => name).sort())
    await c.removexattr('f', 'user.text')
    await fails(t, 'ENODATA', () => c.getxattr('f', 'user.text'))
    await fails(t, 'ENODATA', () => c.removexattr('f', 'user.text'))
    t.equal((await c.listxattr('f')).length, 3)
  })

  it('replaces, or refuses to, as the flags say', async (t, c) => {
    await writeFile(c, 'f')
    await fails(t, 'ENODATA', () => c.setxattr('f', 'user.a', bytes('1'), XATTR_REPLACE))
    await c.setxattr('f', 'user.a', bytes('1'), XATTR_CREATE)
    await fails(t, 'EEXIST', () => c.setxattr('f', 'user.a', bytes('2'), XATTR_CREATE))
    t.same(await c.getxattr('f', 'user.a'), bytes('1'))
    await c.setxattr('f', 'user.a', bytes('longer than before'), XATTR_REPLACE)
    t.same(await c.getxattr('f', 'user.a'), bytes('longer than before'))
    await c.setxattr('f', 'user.a', bytes('3'))
    t.same(await c.getxattr('f', 'user.a'), bytes('3'))
  })

  it('tells the length and refuses a buffer too small', async (t, c) => {
    await writeFile(c, 'f')
    await c.setxattr('f', 'user.a', bytes('12345'))
    t.equal(await c.getxattrInto('f', 'user.a', 0), 5)
    t.equal(await c.getxattrInto('f', 'user.a', 5), 5)
    await fails(t, 'ERANGE', () => c.getxattrInto('f', 'user.a', 4))
  })

  it('takes names up to 255 bytes, in known namespaces only', async (t, c) => {
    await writeFile(c, 'f')
    const longest = `user.${'n'.repeat(250)}`
    await c.setxattr('f', longest, bytes('x'))
    t.same(await c.listxattr('f'), [longest])
    await fails(t, 'ERANGE', () => c.setxattr('f', `${longest}n`, bytes('x')))
    await fails(t, 'EOPNOTSUPP', () => c.setxattr('f', 'unknown.name', bytes('x')))
    await fails(t, 'EOPNOTSUPP', () => c.setxattr('f', 'plain', bytes('x')))
  })

  it('keeps values up to 64 KiB and refuses more', ['attributes of 64 KiB'], async (t, c) => {
    await writeFile(c, 'f')
    const largest = Buffer.alloc(65_536, 'v')
    await c.setxattr('f', 'user.large', largest)
    t.ok((await c.getxattr('f', 'user.large')).equals(largest))
    await fails(t, 'E2BIG', () => c.setxattr('f', 'user.larger', Buffer.alloc(65_537)))
  })

  it('keeps several dozen', async (t, c) => {
    await writeFile(c, 'f')
    const count = 40
    for (let index = 0; index < count; index++) await c.setxattr('f', `user.n${index}`, bytes(String(index)))
    for (let index = 0; index < count; index += 2) await c.removexattr('f', `user.n${index}`)
    t.equal((await c.listxattr('f')).length, count / 2)
    for (let index = 1; index < count; index += 2) t.same(await c.getxattr('f', `user.n${index}`), bytes(String(index)))
  })

  it('belongs to the file, whatever its name', async (t, c) => {
    await writeFile(c, 'f', 'content')
    await c.setxattr('f', 'user.a', bytes('kept'))
    await c.link('f', 'g')
    await c.rename('f', 'h')
    t.same(await c.getxattr('g', 'user.a'), bytes('kept'))
    await withOpen(c, 'h', (fd) => c.ftruncate(fd, 0))
    t.same(await c.getxattr('h', 'user.a'), bytes('kept'))
    await c.unlink('h')
    await c.unlink('g')
    await writeFile(c, 'f')
    t.same(await c.listxattr('f'), [], 'a new file of that name has none')
  })

  it('serves directories, and refuses user attributes elsewhere', async (t, c) => {
    await c.mkdir('d')
    await c.symlink('d', 's')
    await c.mknod('p', 0o010644)
    await c.setxattr('d', 'user.a', bytes('1'))
    t.same(await c.listxattr('d'), ['user.a'])
    await fails(t, 'EPERM', () => c.setxattr('s', 'user.a', bytes('1')))
    await fails(t, 'EPERM', () => c.setxattr('p', 'user.a', bytes('1')))
    await fails(t, 'ENOENT', () => c.setxattr('none', 'user.a', bytes('1')))
    await fails(t, 'ENODATA', () => c.getxattr('d', 'user.none'))
  })

  it('serves trusted attributes on everything', ['trusted attributes'], async (t, c) => {
    await writeFile(c, 'f', 'x')
    await c.symlink('f', 's')
    await c.mknod('p', 0o010644)
    for (const name of ['f', 's', 'p', '.']) {
      await c.setxattr(name, 'trusted.a', bytes(name))
      t.same(await c.getxattr(name, 'trusted.a'), bytes(name))
      t.same(await c.listxattr(name), ['trusted.a'])
    }
    t.equal(await readText(c, 's'), 'x')
  })

  it(
    'hides trusted attributes from others',
    ['trusted attributes', 'permission checks', 'other users'],
    async (t, c) => {
      await writeFile(c, 'f')
      await c.setxattr('f', 'user.a', bytes('1'))
      const alice = c.as({ uid: 1001, gid: 1001 })
      t.same(await alice.getxattr('f', 'user.a'), bytes('1'))
      await fails(t, 'EACCES', () => alice.setxattr('f', 'user.a', bytes('2')))
    },
  )
})
