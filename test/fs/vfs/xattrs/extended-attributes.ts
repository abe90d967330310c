/** Extended attributes beyond what the contract asks: limits, colliding names, the flags that answer without a lookup. */
import t from 'tap'
import { encodeAcl } from '../../../../src/fs/vfs/xattrs/acl.js'
import { KIND_XATTR } from '../../../../src/fs/vfs/records/record-kinds.js'
import { ROOT_INO } from '../../../../src/fs/vfs/types.js'
import { makeDirectory, makeFile, openMemoryFs, remountAfterCrash, USER } from '../../../helpers/open-memory-fs.js'

const value = Buffer.from('v')

t.test('asking for what is not there looks nothing up', async (t) => {
  const { fs, view } = await openMemoryFs()
  const plain = await makeFile(fs, ROOT_INO, 'plain')
  const other = await makeFile(fs, ROOT_INO, 'other')
  await fs.setExtendedAttribute(other, 'user.x', value, 0, USER, false)
  let lookups = 0
  const get = view.get.bind(view)
  view.get = (...key) => {
    lookups++
    return get(...key)
  }
  t.equal(fs.getExtendedAttribute(plain, 'user.x'), undefined)
  for (const name of ['security.capability', 'system.posix_acl_access', 'system.posix_acl_default']) {
    t.equal(fs.getExtendedAttribute(plain, name), undefined)
    t.equal(fs.getExtendedAttribute(other, name), undefined)
  }
  t.equal(lookups, 0)
})

t.test('names whose hashes collide live side by side', async (t) => {
  const mounted = await openMemoryFs({ hashName: () => 99 })
  const { fs } = mounted
  const file = await makeFile(fs, ROOT_INO, 'f')
  for (let i = 0; i < 10; i++) await fs.setExtendedAttribute(file, `user.${i}`, Buffer.from(`${i}`), 0, USER, false)
  await fs.setExtendedAttribute(file, 'user.3', Buffer.from('three'), 0, USER, false)
  await fs.removeExtendedAttribute(file, 'user.4', USER)
  await fs.sync()
  for (const { fs } of [mounted, await remountAfterCrash(mounted, { hashName: () => 99 })]) {
    const shown = (i: number): string => Buffer.from(fs.getExtendedAttribute(file, `user.${i}`) ?? []).toString()
    t.same([2, 3, 4, 5].map(shown), ['2', 'three', '', '5'])
    t.equal(Buffer.from(fs.listExtendedAttributes(file)).toString().split('\0').length, 10)
  }
})

t.test('limits are those of Linux', async (t) => {
  const { fs } = await openMemoryFs()
  const file = await makeFile(fs, ROOT_INO, 'f')
  const set = (name: string, bytes: Uint8Array = value): unknown =>
    fs.setExtendedAttribute(file, name, bytes, 0, USER, false)
  t.throws(() => set('user.x', new Uint8Array(65_537)), { code: 'ATTRIBUTE_TOO_LARGE' })
  set('user.x', new Uint8Array(65_536).fill(1))
  t.equal(fs.getExtendedAttribute(file, 'user.x')?.length, 65_536)
  t.throws(() => set(`user.${'x'.repeat(251)}`), { code: 'RESULT_TOO_SMALL' })
  t.throws(() => set('user.'), { code: 'INVALID' })
  t.throws(() => set('other.x'), { code: 'NOT_SUPPORTED' })
  t.throws(() => set('system.x'), { code: 'NOT_SUPPORTED' })
  let count = 0
  t.throws(
    () => {
      for (; count < 1000; count++) set(`user.${count}${'x'.repeat(240)}`)
    },
    { code: 'NO_SPACE' },
    'the list of names has at most 64 KiB',
  )
  t.ok(fs.listExtendedAttributes(file).length <= 65_536)
})

t.test('the flags of the inode follow what is set and removed', async (t) => {
  const { fs, view } = await openMemoryFs()
  const directory = await makeDirectory(fs, ROOT_INO, 'd')
  const ANY = 0xffff_ffff
  const acl = encodeAcl([
    { tag: 1, permissions: 7, id: ANY },
    { tag: 2, permissions: 7, id: 5 },
    { tag: 4, permissions: 5, id: ANY },
    { tag: 16, permissions: 7, id: ANY },
    { tag: 32, permissions: 0, id: ANY },
  ])
  const names = ['user.x', 'security.capability', 'system.posix_acl_access', 'system.posix_acl_default']
  for (const name of names) {
    await fs.setExtendedAttribute(directory, name, name.startsWith('system') ? acl : value, 0, USER, false)
  }
  t.equal(fs.getAttributes(directory).mode, 0o040770)
  const child = await makeFile(fs, directory, 'child')
  t.same(fs.getExtendedAttribute(child, 'system.posix_acl_access')?.length, acl.length)
  for (const name of names) {
    t.ok(fs.getExtendedAttribute(directory, name), name)
    await fs.removeExtendedAttribute(directory, name, USER)
    t.equal(fs.getExtendedAttribute(directory, name), undefined, name)
    t.throws(() => fs.removeExtendedAttribute(directory, name, USER), { code: 'NO_ATTRIBUTE' })
  }
  t.equal(view.range(KIND_XATTR, directory, 0, 2 ** 53 - 1, 9).length, 0)
})
