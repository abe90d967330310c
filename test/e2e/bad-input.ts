/** What a machine or a user can do wrong: a clear sentence, the right exit code, and nothing left half done. */
import { chmodSync, chownSync, mkdirSync, openSync, closeSync, writeSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { EXIT } from '../../src/cli/exit-codes.js'
import { as, atefs, atefsMount, inNamespace, NEEDS_ROOT } from '../helpers/namespace.js'
import { refused } from '../helpers/refused.js'
import { isRoot, ordinaryUser, usersToTest } from '../helpers/user.js'
import { Vault } from '../helpers/vault.js'

/** Overwrites bytes of a file in place. */
function patch(file: string, position: number, bytes: Uint8Array): void {
  const fd = openSync(file, 'r+')
  writeSync(fd, bytes, 0, bytes.length, position)
  closeSync(fd)
}

for (const user of usersToTest()) {
  t.test(`passphrases, places and formats that are wrong, as ${user.title}`, async (t) => {
    const vault = Vault.create(t, user, { hasPassphrase: true })
    await vault.mount()
    await vault.shell('echo kept > file')
    await vault.unmount()

    const wrong = join(vault.base, 'tmp', 'wrong')
    await vault.shell(`echo not the passphrase > ${wrong}`, { directory: '/' })
    refused(t, vault, await vault.tryMount('--passfile', wrong), EXIT.WRONG_PASSPHRASE, /passphrase/)

    await vault.shell(`echo in the way > ${vault.mountpoint}/stray`, { directory: '/' })
    refused(t, vault, await vault.tryMount(), EXIT.MOUNTPOINT, /not empty/)
    await vault.mount('--non-empty')
    t.equal(await vault.shell('cat file; ls'), 'kept\nfile\n', 'what was below is hidden')
    await vault.unmount()
    await vault.shell(`rm ${vault.mountpoint}/stray`, { directory: '/' })

    const manifest = join(vault.chain, 'manifest')
    patch(manifest, 8, Uint8Array.of(99))
    refused(t, vault, await vault.tryMount(), EXIT.UNSUPPORTED_FORMAT, /format 99/)
    patch(manifest, 8, Uint8Array.of(1))
    await vault.mount()
    t.equal(await vault.shell('cat file'), 'kept\n', 'nothing of all this has harmed the chain')
    await vault.unmount()
  })

  t.test(`a mountpoint or a log directory that is none, as ${user.title}`, async (t) => {
    const vault = Vault.create(t, user)
    await vault.shell(`echo x > ${vault.mountpoint}`, { directory: '/' })
    refused(t, vault, await vault.tryMount(), EXIT.MOUNTPOINT, /not a directory/)
    await vault.shell(`rm ${vault.mountpoint}; mkdir -p ${vault.chain}; echo x > ${vault.chain}/letter.txt`, {
      directory: '/',
    })
    refused(t, vault, await vault.tryMount(), EXIT.CHAIN, /something else than a chain/)
    t.strictSame(readdirSync(vault.chain), ['letter.txt'], 'nothing was added to it')
    await vault.shell(`rm -r ${vault.logPath}; echo x > ${vault.logPath}`, { directory: '/' })
    const result = await vault.tryMount()
    t.not(result.code, 0)
    t.notOk(vault.isMounted())
    refused(t, vault, await vault.tryMount('--no-create'), result.code ?? 0, /log/)
  })
}

t.test('a log directory that may not be written', async (t) => {
  const vault = Vault.create(t, ordinaryUser())
  mkdirSync(vault.logPath, { mode: 0o755 })
  if (isRoot) chownSync(vault.logPath, 0, 0)
  else chmodSync(vault.logPath, 0o555)
  refused(t, vault, await vault.tryMount(), EXIT.STORAGE, /permission|may not|cannot/i)
  if (isRoot) chownSync(vault.logPath, vault.user.uid, vault.user.gid)
  else chmodSync(vault.logPath, 0o755)
  await vault.mount()
  await vault.shell('echo kept > file')
  await vault.unmount()
  await vault.shell(`chmod -R a-w ${vault.chain}`, { directory: '/' })
  refused(t, vault, await vault.tryMount(), EXIT.STORAGE, /permission|may not|cannot|read-only/i)
  await vault.shell(`chmod -R u+w ${vault.chain}`, { directory: '/' })
  await vault.mount()
  t.equal(await vault.shell('cat file'), 'kept\n')
  await vault.unmount()
})

for (const user of usersToTest()) {
  const skip = isRoot ? false : NEEDS_ROOT
  t.test(`a log on a read-only disk is served read-only when asked so, as ${user.title}`, { skip }, async (t) => {
    const vault = Vault.create(t, user)
    await vault.mount()
    await vault.shell(
      'echo kept > file; head -c 3000000 /dev/urandom > large; sha256sum large > sum; sync large sum file',
    )
    await vault.crash()
    await vault.atefs(['umount', vault.mountpoint])
    const files = readdirSync(vault.chain)
    // Modes do not stop root; a read-only mount does. The way back to the old state is the end of the namespace.
    const readOnly = `mount --bind ${vault.logPath} ${vault.logPath}; mount -o remount,bind,ro ${vault.logPath}`
    refused(t, vault, await inNamespace(vault, `${readOnly}; ${atefsMount(vault)}`), EXIT.STORAGE, /read-only/i)
    const uses = `cd ${vault.mountpoint}; cat file; sha256sum --check --quiet sum; ! touch new`
    const all = [readOnly, atefsMount(vault, '--read-only'), as(user, 'sh', '-euc', `'${uses}'`)]
    const result = await inNamespace(vault, [...all, atefs(vault, 'umount', vault.mountpoint)].join('; '))
    t.equal(result.code, 0, result.stderr)
    t.match(result.stdout.toString(), /"readOnly": ?true/)
    t.match(result.stdout.toString(), /^kept$/m)
    t.match(result.stderr, /Read-only file system/)
    t.same(readdirSync(vault.chain), files)
    await vault.mount()
    t.equal(await vault.shell('cat file; sha256sum --check --quiet sum'), 'kept\n')
    await vault.unmount()
  })
}

const withoutDevice = `
  mount -t tmpfs none /dev
  mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/random c 1 8; mknod -m 666 /dev/urandom c 1 9`

for (const user of usersToTest()) {
  t.test(`a system without /dev/fuse, as ${user.title}`, { skip: isRoot ? false : NEEDS_ROOT }, async (t) => {
    const vault = Vault.create(t, user)
    refused(t, vault, await inNamespace(vault, `${withoutDevice}; ${atefsMount(vault)}`), EXIT.FUSE, /\/dev\/fuse/)
  })

  t.test(`something else at /dev/fuse, as ${user.title}`, { skip: isRoot ? false : NEEDS_ROOT }, async (t) => {
    const others = {
      'mknod -m 666 /dev/fuse c 1 3': /the device 1:3/,
      'touch /dev/fuse; chmod 666 /dev/fuse': /a file/,
    }
    for (const [make, what] of Object.entries(others)) {
      const vault = Vault.create(t, user)
      const result = await inNamespace(vault, `${withoutDevice}; ${make}; ${atefsMount(vault)}`)
      refused(t, vault, result, EXIT.FUSE, /\/dev\/fuse is not the device of FUSE.*mknod/)
      t.match(result.stdout.toString(), what)
    }
  })
}

/** Takes fusermount3 away: by an overlay, or where that is not allowed by something that cannot be run. */
const withoutHelper = `
  tools=$(dirname $(command -v fusermount3)); mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work
  if mount -t overlay none -o lowerdir=$tools,upperdir=/mnt/upper,workdir=/mnt/work $tools
  then rm $tools/fusermount3; else mount --bind /dev/null $tools/fusermount3; fi`

t.test('a system without fusermount3', { skip: isRoot ? false : NEEDS_ROOT }, async (t) => {
  const vault = Vault.create(t, ordinaryUser(), { hasPassphrase: true })
  const result = await inNamespace(vault, `${withoutHelper}; ${atefsMount(vault)}`)
  refused(t, vault, result, EXIT.FUSE, /fusermount3/)
  t.match(result.stdout.toString(), /fuse3/, 'and which package has it')
  await vault.mount()
  await vault.unmount()
})
