/** Modes, owners and groups: who owns what is new, and what setuid, setgid and sticky do. */
import { subject, fails } from './contract.js'
import { writeFile, withOpen } from '../../helpers/posix/files.js'
import type { PosixClient } from '../../helpers/posix/client.js'
import { O_CREAT, O_RDWR, O_TMPFILE, O_WRONLY, S_IFLNK } from '../../helpers/posix/constants.js'

const ALICE = { uid: 1001, gid: 1001, groups: [2001] }
const BOB = { uid: 1002, gid: 1002 }

const permissions = async (c: PosixClient, path: string): Promise<number> => (await c.lstat(path)).mode & 0o7777
const owners = async (c: PosixClient, path: string): Promise<number[]> => {
  const { uid, gid } = await c.lstat(path)
  return [uid, gid]
}

export const ownershipContract = subject('modes and owners', (it) => {
  it('keeps all twelve bits of a mode', async (t, c) => {
    await writeFile(c, 'f')
    await c.mkdir('d')
    for (const mode of [0, 0o7777, 0o4755, 0o2711, 0o1700, 0o644]) {
      await c.chmod('f', mode)
      await c.chmod('d', mode)
      t.equal(await permissions(c, 'f'), mode)
      t.equal(await permissions(c, 'd'), mode)
    }
    await c.chmod('f', 0o600)
    await withOpen(c, 'f', (fd) => c.fchmod(fd, 0o640))
    t.equal(await permissions(c, 'f'), 0o640)
    await c.symlink('f', 's')
    await c.chmod('s', 0o604)
    t.equal(await permissions(c, 'f'), 0o604, 'through a symlink')
    t.equal((await c.lstat('s')).mode, S_IFLNK | 0o777)
  })

  it('gives what is made to its maker', ['other users', 'owner of a new file'], async (t, c) => {
    await c.chmod('.', 0o777)
    const alice = c.as(ALICE)
    await writeFile(alice, 'f')
    await alice.mkdir('d')
    await alice.symlink('f', 's')
    await alice.mknod('p', 0o010644)
    for (const name of ['f', 'd', 's', 'p']) t.same(await owners(c, name), [1001, 1001], name)
  })

  it('gives a file without a name to its maker', ['other users', 'temporary files'], async (t, c) => {
    await c.chmod('.', 0o777)
    const fd = await c.as(ALICE).open('.', O_RDWR | O_TMPFILE, 0o600)
    t.equal((await c.fstat(fd)).uid, 1001)
    await c.close(fd)
  })

  it('changes owner and group together or apart, by path and by handle', ['other users'], async (t, c) => {
    await writeFile(c, 'f')
    await c.symlink('f', 's')
    await c.chown('f', 1001, 2001)
    t.same(await owners(c, 'f'), [1001, 2001])
    await c.chown('f', -1, 7)
    await withOpen(c, 'f', (fd) => c.fchown(fd, 8, -1))
    t.same(await owners(c, 'f'), [8, 7])
    await c.chown('s', 9, 10)
    t.same(await owners(c, 'f'), [9, 10], 'through a symlink')
    await c.lchown('s', 11, 12)
    t.same(await owners(c, 's'), [11, 12])
    t.same(await owners(c, 'f'), [9, 10])
    await c.chown('f', 0xfffffffe, 0xfffffffe)
    t.same(await owners(c, 'f'), [0xfffffffe, 0xfffffffe], 'the greatest id')
  })

  it('drops setuid and setgid when a file changes hands', ['other users'], async (t, c) => {
    await writeFile(c, 'f')
    await c.chmod('f', 0o6755)
    await c.chown('f', 1001, 1001)
    t.equal(await permissions(c, 'f'), 0o755)
    await c.chmod('f', 0o2745)
    await c.chown('f', 1002, 1002)
    t.equal(await permissions(c, 'f'), 0o2745, 'setgid without group execution is no privilege')
    await c.mkdir('d')
    await c.chmod('d', 0o6755)
    await c.chown('d', 1001, 1001)
    t.equal(await permissions(c, 'd'), 0o6755, 'directories keep theirs')
  })

  it(
    'drops setuid and setgid when another than root writes',
    ['other users', 'clearing setuid on write'],
    async (t, c) => {
      for (const [step, change] of [
        ['write', (c: PosixClient, fd: number) => c.pwrite(fd, Buffer.from('x'), 0)],
        ['truncate', (c: PosixClient, fd: number) => c.ftruncate(fd, 1)],
      ] as const) {
        await writeFile(c, step, 'content')
        await c.chmod(step, 0o6777)
        await withOpen(c.as(BOB), step, (fd) => change(c.as(BOB), fd))
        t.equal(await permissions(c, step), 0o777, step)
      }
      await writeFile(c, 'f')
      await c.chmod('f', 0o6777)
      await withOpen(c, 'f', (fd) => c.pwrite(fd, Buffer.from('x'), 0))
      t.equal(await permissions(c, 'f'), 0o6777, 'not when root does')
    },
  )

  it('hands down the group and the bit of a setgid directory', ['other users', 'owner of a new file'], async (t, c) => {
    await c.mkdir('d')
    await c.chown('d', 0, 2001)
    await c.chmod('d', 0o2777)
    const alice = c.as(ALICE).in('d')
    await writeFile(alice, 'f')
    await alice.mkdir('e')
    await alice.mkdir('e/deeper')
    await alice.symlink('x', 's')
    t.same(await owners(alice, 'f'), [1001, 2001])
    t.same(await owners(alice, 'e/deeper'), [1001, 2001])
    t.same(await owners(alice, 's'), [1001, 2001])
    t.equal(await permissions(alice, 'f'), 0o644)
    t.equal(await permissions(alice, 'e'), 0o2755)
    t.equal(await permissions(alice, 'e/deeper'), 0o2755)
    await c.rename('d/f', 'moved')
    await writeFile(c, 'plain')
    await c.rename('plain', 'd/plain')
    t.same(await owners(c, 'moved'), [1001, 2001], 'a rename changes no group')
    t.same(await owners(c, 'd/plain'), [0, 0])
  })

  it(
    'lets nobody make a setgid file for a group that is not theirs',
    ['other users', 'owner of a new file', 'permission checks'],
    async (t, c) => {
      await c.mkdir('d')
      await c.chown('d', 0, 3001)
      await c.chmod('d', 0o2777)
      const alice = c.as(ALICE).in('d').withUmask(0)
      await alice.close(await alice.open('f', O_WRONLY | O_CREAT, 0o2775))
      t.equal(await permissions(alice, 'f'), 0o775)
      await alice.chmod('f', 0o2775)
      t.equal(await permissions(alice, 'f'), 0o775, 'nor by chmod')
    },
  )

  it(
    'lets only the owner change mode, owner and group',
    ['other users', 'owner of a new file', 'permission checks'],
    async (t, c) => {
      await c.chmod('.', 0o777)
      const [alice, bob] = [c.as(ALICE), c.as(BOB)]
      await writeFile(alice, 'f')
      await fails(t, 'EPERM', () => bob.chmod('f', 0o777))
      await fails(t, 'EPERM', () => bob.chown('f', 1002, -1))
      await fails(t, 'EPERM', () => alice.chown('f', 1002, -1), 'an owner cannot give away')
      await fails(t, 'EPERM', () => alice.chown('f', -1, 3001), 'nor to a group not theirs')
      await alice.chown('f', -1, 2001)
      t.same(await owners(c, 'f'), [1001, 2001], 'but to one that is')
      await fails(t, 'EPERM', () => bob.utimens('f', 1n, 1n))
      await fails(t, 'EACCES', () => bob.utimens('f', 'now', 'now'))
      await alice.chmod('f', 0o666)
      await bob.utimens('f', 'now', 'now')
      await fails(t, 'EPERM', () => bob.utimens('f', 1n, 1n), 'who may write may only touch')
    },
  )

  it(
    'checks reading, writing and searching for everyone but root',
    ['other users', 'permission checks'],
    async (t, c) => {
      const bob = c.as(BOB)
      await c.mkdir('d')
      await writeFile(c, 'd/f', 'x')
      await c.chmod('d/f', 0o604)
      await fails(t, 'EACCES', () => bob.open('d/f', O_RDWR))
      await bob.close(await bob.open('d/f', 0))
      await fails(t, 'EACCES', () => bob.mkdir('d/new'))
      await fails(t, 'EACCES', () => bob.unlink('d/f'))
      await fails(t, 'EACCES', () => bob.rename('d/f', 'd/g'))
      await c.chmod('d', 0o744)
      await fails(t, 'EACCES', () => bob.stat('d/f'), 'no search')
      await c.chmod('d', 0o711)
      await fails(t, 'EACCES', () => bob.open('d', 0), 'no listing')
      await c.chmod('d/f', 0o640)
      await c.chown('d/f', 0, BOB.gid)
      await bob.close(await bob.open('d/f', 0))
      await c.chown('d/f', BOB.uid, 0)
      await c.chmod('d/f', 0o044)
      await fails(t, 'EACCES', () => bob.open('d/f', 0), 'the owner class decides, not the widest')
    },
  )

  it(
    'protects entries of a sticky directory from others',
    ['other users', 'owner of a new file', 'permission checks'],
    async (t, c) => {
      await c.mkdir('d')
      await c.chmod('d', 0o1777)
      const [alice, bob] = [c.as(ALICE).in('d'), c.as(BOB).in('d')]
      await writeFile(alice, 'f')
      await alice.chmod('f', 0o666)
      await writeFile(bob, 'g')
      await fails(t, 'EPERM', () => bob.unlink('f'))
      await fails(t, 'EPERM', () => bob.rename('f', 'h'))
      await fails(t, 'EPERM', () => bob.rename('g', 'f'))
      await alice.unlink('f')
      await c.chown('d', BOB.uid, BOB.gid)
      await writeFile(alice, 'f')
      await bob.unlink('f')
      t.pass('its owner may')
    },
  )
})
