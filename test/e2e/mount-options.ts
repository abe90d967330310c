/** Options of `-o` that change who may come in and what files may do, seen by those who try. */
import t, { type Test } from 'tap'
import { EXIT } from '../../src/cli/exit-codes.js'
import { as, atefs, atefsMount, inNamespace, NEEDS_ROOT } from '../helpers/namespace.js'
import { refused } from '../helpers/refused.js'
import { isRoot, ordinaryUser, testingUser, usersToTest, type User } from '../helpers/user.js'
import { Vault } from '../helpers/vault.js'

const skip = isRoot ? false : NEEDS_ROOT
/** Neither root nor the ordinary user; nobody has the number. */
const STRANGER: User = { title: 'a stranger', uid: 54321, gid: 54321 }

/** Who of owner, root and a stranger can read a file of a mount with these flags. */
async function admitted(t: Test, user: User, ...flags: string[]): Promise<string[]> {
  const vault = Vault.create(t, user)
  const reads = (who: User, name: string): string =>
    `if ${as(who, 'cat', `${vault.mountpoint}/file`)} > /dev/null 2>&1; then echo ${name}; fi`
  const lines = [
    `echo user_allow_other > ${vault.base}/fuse.conf; mount --bind ${vault.base}/fuse.conf /etc/fuse.conf`,
    `${atefsMount(vault, ...flags)} > /dev/null`,
    as(user, 'sh', '-c', `'umask 022; echo open to all > ${vault.mountpoint}/file'`),
    reads(user, 'owner'),
    reads(testingUser, 'root'),
    reads(STRANGER, 'stranger'),
    `${atefs(vault, 'umount', vault.mountpoint)} > /dev/null`,
  ]
  const { code, stdout, stderr } = await inNamespace(vault, lines.join('\n'))
  t.equal(code, 0, stderr)
  return stdout.toString().trimEnd().split('\n')
}

t.test('who may come in to a mount of root’s', { skip }, async (t) => {
  t.same(await admitted(t, testingUser), ['owner', 'root'])
  t.same(await admitted(t, testingUser, '-o', 'allow_root'), ['owner', 'root'])
  t.same(await admitted(t, testingUser, '-o', 'allow_other'), ['owner', 'root', 'stranger'])
})

for (const driver of ['direct', 'fuse-native']) {
  t.test(`who may come in to a mount of an ordinary user’s, by ${driver}`, { skip }, async (t) => {
    const on = (...flags: string[]): Promise<string[]> => admitted(t, ordinaryUser(), '--driver', driver, ...flags)
    t.same(await on(), ['owner'])
    t.same(await on('-o', 'allow_root'), ['owner', 'root'])
    t.same(await on('-o', 'allow_other'), ['owner', 'root', 'stranger'])
  })
}

t.test('an ordinary user may let others in only where the machine allows it', { skip }, async (t) => {
  for (const option of ['allow_other', 'allow_root']) {
    const vault = Vault.create(t, ordinaryUser())
    const result = await inNamespace(vault, `mount --bind /dev/null /etc/fuse.conf; ${atefsMount(vault, '-o', option)}`)
    refused(t, vault, result, EXIT.FUSE, /user_allow_other/)
  }
})

/** The options in /proc/mounts. */
async function shown(vault: Vault): Promise<string[]> {
  const line = await vault.shell(`grep ' ${vault.mountpoint} ' /proc/mounts`)
  return line.split(' ')[3]?.split(',') ?? []
}

t.test('set-user-id bits and device nodes count when asked for, and otherwise not', { skip }, async (t) => {
  const vault = Vault.create(t, testingUser)
  await vault.mount('-o', 'allow_other')
  await vault.shell(`cp /usr/bin/id id; chown 0:0 id; chmod 4755 id; mknod -m 666 zero c 1 5`)
  const stranger = as(STRANGER, './id', '-u')
  for (const options of ['', 'suid,dev,nosuid,nodev']) {
    await vault.remount('-o', `allow_other,${options}`)
    t.match((await shown(vault)).join(), /nosuid,nodev/)
    t.equal(await vault.shell(stranger), `${STRANGER.uid}\n`)
    await t.rejects(vault.shell('head -c 1 zero'), /Permission denied/)
  }
  await vault.remount('-o', 'allow_other,suid,dev')
  t.notMatch((await shown(vault)).join(), /nosuid|nodev/)
  t.equal(await vault.shell(stranger), '0\n')
  t.equal(await vault.shell('head -c 1 zero | od -An -tx1'), ' 00\n')
  await vault.unmount()
})

t.test('an ordinary user’s mount has neither, whatever is asked for', async (t) => {
  const vault = Vault.create(t, ordinaryUser())
  await vault.mount('-o', 'suid,dev')
  t.match((await shown(vault)).join(), /nosuid,nodev/)
  await vault.unmount()
})

for (const user of usersToTest()) {
  t.test(`with sync each write is durable when it is answered, as ${user.title}`, async (t) => {
    const vault = Vault.create(t, user)
    await vault.mount('-o', 'sync')
    t.ok((await shown(vault)).includes('sync'))
    for (let count = 1; count <= 3; count++) {
      await vault.shell(`seq ${count}000 > file${count}`)
      await vault.crash()
      await vault.mount('-o', 'sync')
      t.equal(await vault.shell(`tail -n 1 file${count}`), `${count}000\n`)
    }
    await vault.remount('-o', 'sync,async')
    t.notMatch((await shown(vault)).join(), /sync/)
    await vault.unmount()
  })
}
