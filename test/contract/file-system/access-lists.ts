/** POSIX access control lists, through the attributes that carry them (posix_acl_xattr.h of the kernel). */
import { subject, fails } from './contract.js'
import { withOpen, writeFile } from '../../helpers/posix/files.js'
import type { PosixClient } from '../../helpers/posix/client.js'

const ACCESS = 'system.posix_acl_access'
const DEFAULT = 'system.posix_acl_default'

const TAGS = { owner: 0x01, user: 0x02, group: 0x04, namedGroup: 0x08, mask: 0x10, other: 0x20 } as const
const NO_ID = 0xffffffff

type Entry = [tag: keyof typeof TAGS, permissions: number, id?: number]

/** The attribute's bytes: version 2, then {tag 16, permissions 16, id 32} each. */
function accessList(...entries: Entry[]): Buffer {
  const buffer = Buffer.alloc(4 + entries.length * 8)
  buffer.writeUInt32LE(2, 0)
  entries.forEach(([tag, permissions, id], index) => {
    buffer.writeUInt16LE(TAGS[tag], 4 + index * 8)
    buffer.writeUInt16LE(permissions, 6 + index * 8)
    buffer.writeUInt32LE(id ?? NO_ID, 8 + index * 8)
  })
  return buffer
}

const forAlice = (owner: number, alice: number, group: number, mask: number, other: number): Buffer =>
  accessList(['owner', owner], ['user', alice, 1001], ['group', group], ['mask', mask], ['other', other])

const permissions = async (c: PosixClient, path: string): Promise<string> =>
  ((await c.stat(path)).mode & 0o7777).toString(8)

export const accessListsContract = subject('access control lists', (it) => {
  const needs = ['access control lists'] as const

  it('keeps a list and shows its mask as the group bits', needs, async (t, c) => {
    await writeFile(c, 'f')
    const list = forAlice(6, 7, 4, 5, 0)
    await c.setxattr('f', ACCESS, list)
    t.same(await c.getxattr('f', ACCESS), list)
    t.equal(await permissions(c, 'f'), '650')
    t.ok((await c.listxattr('f')).includes(ACCESS))
  })

  it('turns a list that is only a mode into one', needs, async (t, c) => {
    await writeFile(c, 'f')
    await c.setxattr('f', ACCESS, accessList(['owner', 7], ['group', 5], ['other', 1]))
    t.equal(await permissions(c, 'f'), '751')
    await fails(t, 'ENODATA', () => c.getxattr('f', ACCESS))
  })

  it('changes the list with chmod: group bits go to the mask', needs, async (t, c) => {
    await writeFile(c, 'f')
    await c.setxattr('f', ACCESS, forAlice(6, 7, 4, 7, 0))
    await c.chmod('f', 0o714)
    t.same(await c.getxattr('f', ACCESS), forAlice(7, 7, 4, 1, 4))
    t.equal(await permissions(c, 'f'), '714')
  })

  it('hands a default list down to what is made, in place of the umask', needs, async (t, c) => {
    await c.mkdir('d')
    const list = forAlice(7, 6, 5, 7, 1)
    await c.setxattr('d', DEFAULT, list)
    const inside = c.withUmask(0o077)
    await writeFile(inside, 'd/f', '', 0o666)
    await inside.mkdir('d/e', 0o777)
    await inside.mknod('d/p', 0o010640)
    t.equal(await permissions(c, 'd/f'), '660')
    t.same(await c.getxattr('d/f', ACCESS), forAlice(6, 6, 5, 6, 0))
    await fails(t, 'ENODATA', () => c.getxattr('d/f', DEFAULT))
    t.equal(await permissions(c, 'd/e'), '771')
    t.same(await c.getxattr('d/e', DEFAULT), list, 'a directory hands it on')
    t.same(await c.getxattr('d/e', ACCESS), forAlice(7, 6, 5, 7, 1))
    t.equal(await permissions(c, 'd/p'), '640')
    await c.symlink('x', 'd/s')
    t.same(await c.listxattr('d/s'), [])
  })

  it('gives a plain mode to what is made under a default list that is only a mode', needs, async (t, c) => {
    await c.mkdir('d')
    await c.setxattr('d', DEFAULT, accessList(['owner', 7], ['group', 4], ['other', 0]))
    await writeFile(c, 'd/f', '', 0o666)
    t.equal(await permissions(c, 'd/f'), '640')
    await fails(t, 'ENODATA', () => c.getxattr('d/f', ACCESS))
  })

  it('removes lists', needs, async (t, c) => {
    await c.mkdir('d')
    await c.setxattr('d', ACCESS, forAlice(7, 7, 5, 7, 5))
    await c.setxattr('d', DEFAULT, forAlice(7, 7, 5, 7, 5))
    await c.removexattr('d', ACCESS)
    await c.removexattr('d', DEFAULT)
    t.same(await c.listxattr('d'), [])
    t.equal(await permissions(c, 'd'), '775', 'the mode stays as it was')
    await c.withUmask(0o022).mkdir('d/e', 0o777)
    t.equal(await permissions(c, 'd/e'), '755')
  })

  it('refuses lists that are none, and default lists on files', needs, async (t, c) => {
    await writeFile(c, 'f')
    await fails(t, 'EACCES', () => c.setxattr('f', DEFAULT, forAlice(7, 7, 5, 7, 5)))
    await fails(t, 'EINVAL', () => c.setxattr('f', ACCESS, accessList(['owner', 7], ['other', 0])), 'no group')
    await fails(t, 'EINVAL', () => c.setxattr('f', ACCESS, forAlice(7, 7, 5, 7, 5).subarray(0, 20)), 'cut off')
    const withoutMask = accessList(['owner', 7], ['user', 7, 1001], ['group', 5], ['other', 0])
    await fails(t, 'EINVAL', () => c.setxattr('f', ACCESS, withoutMask), 'a named user without a mask')
    t.equal(await permissions(c, 'f'), '644')
  })

  it('lets in and keeps out whom the list names', [...needs, 'other users', 'permission checks'], async (t, c) => {
    const [alice, bob] = [c.as({ uid: 1001, gid: 1001 }), c.as({ uid: 1002, gid: 1002 })]
    await writeFile(c, 'f')
    await c.chmod('f', 0o600)
    await fails(t, 'EACCES', () => alice.open('f', 0))
    await c.setxattr('f', ACCESS, forAlice(6, 6, 0, 6, 0))
    await withOpen(alice, 'f', (fd) => alice.pwrite(fd, Buffer.from('x'), 0))
    await fails(t, 'EACCES', () => bob.open('f', 0))
    await c.chmod('f', 0o640)
    await fails(t, 'EACCES', () => alice.open('f', 2), 'the mask limits')
    await withOpen(alice, 'f', () => t.pass('reading is left'), 0)
    await c.setxattr('f', ACCESS, forAlice(6, 0, 4, 4, 4))
    await fails(t, 'EACCES', () => alice.open('f', 0), 'a named user is not other')
    await withOpen(bob, 'f', () => t.pass('other is'), 0)
  })
})
