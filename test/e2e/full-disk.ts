/** A disk that is full, or fills up: no chain is made, the writer is told, deletion goes on, nothing is lost, and it recovers when space returns. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EXIT } from '../../src/cli/exit-codes.js'
import { manifestOf } from '../helpers/manifest.js'
import { smallDisk, type DiskKind } from '../helpers/small-disk.js'
import { isRoot, userToTest, type User } from '../helpers/user.js'
import { Vault } from '../helpers/vault.js'

const DISK_MEBIBYTES = 160
/** Somebody else's file on the same disk. */
const FILLER_MEBIBYTES = 60

/** Writes files of 1 MiB until one fails; prints how many were written and durable, and what the next was told. */
const fill = (name: string): string => `
  n=0; while head -c 1048576 /dev/urandom > ${name}$n 2> $ERROR && sync ${name}$n 2>> $ERROR; do n=$((n + 1)); done
  echo $n; cat $ERROR >&2; sha256sum $(seq -f ${name}%.0f 0 $((n - 1))) > /dev/null`

async function fillUp(t: Test, vault: Vault, name: string): Promise<number> {
  const { stdout, stderr, code } = await vault.attempt('/bin/sh', ['-uc', fill(name)], {
    environment: { ERROR: join(vault.base, 'tmp', 'error') },
    timeoutMs: 200_000,
  })
  t.equal(code, 0, stderr)
  t.match(stderr, /No space left on device/, 'the writer is told')
  return Number(stdout.toString())
}

async function disk(t: Test, kind: DiskKind, user: User): Promise<void> {
  const mountpoint = smallDisk(t, kind, DISK_MEBIBYTES, user)
  if (mountpoint === undefined) return
  const filler = join(mountpoint, 'filler')
  const vault = Vault.create(t, user, { logPath: join(mountpoint, 'log') })
  await vault.run('fallocate', ['-l', `${FILLER_MEBIBYTES}M`, filler], { directory: '/' })
  await vault.mount()
  await vault.shell('mkdir kept; seq 100000 > kept/numbers; sync kept/numbers')
  const written = await fillUp(t, vault, 'f')
  t.ok(written > 5, `${written} MiB were written`)

  await vault.shell('sha256sum f* kept/* > /dev/null')
  await vault.shell('rm f0 f1; mv f2 renamed; rmdir kept 2> /dev/null || true; sync .')
  t.equal(await vault.shell('ls | grep -c "^f[01]$" || true'), '0\n', 'deletion works on a full disk')
  const before = await manifestOf(vault)

  await vault.remount()
  t.strictSame(await manifestOf(vault), before, 'nothing is lost by a remount of the full disk')

  await vault.run('rm', [filler], { directory: '/' })
  await vault.shell('head -c 8388608 /dev/urandom > after; sync after; sha256sum after > sum; sync sum')
  await vault.remount()
  await vault.run('sha256sum', ['--check', '--quiet', 'sum'])
  await vault.shell('sha256sum f* > /dev/null; tail -n 1 kept/numbers | grep -qx 100000')
  await vault.unmount()
}

/** What is free when a chain is to be made: too little for a directory, the key, the manifest, the index, the first batch. */
const FREE_KIBIBYTES = [0, 4, 8, 24, 128]

/** Leaves so much free on the disk that the working directory is on, as exactly as the file system lets us. */
const fillTo = (kibibytes: number): string => `
  free() { df -k --output=avail . | tail -n 1; }
  fallocate -l $(($(free) - ${kibibytes}))K filler
  while [ $(free) -gt ${kibibytes} ]; do head -c 4096 /dev/zero >> filler || break; done`

async function creation(t: Test, kind: DiskKind, user: User): Promise<void> {
  const mountpoint = smallDisk(t, kind, 8, user)
  if (mountpoint === undefined) return
  for (const free of FREE_KIBIBYTES) {
    const vault = Vault.create(t, user, { logPath: join(mountpoint, `log${free}`) })
    await vault.shell(fillTo(free), { directory: mountpoint })
    const { code, stdout } = await vault.tryMount()
    const { error } = JSON.parse(stdout.toString()) as { error: { message: string } }
    t.equal(code, EXIT.NO_SPACE, `${free} KiB are free: ${error.message}`)
    t.match(error.message, /full|ENOSPC/)
    t.notMatch(error.message, /\n/, 'one line')
    t.notOk(vault.isMounted())
    await vault.shell('rm filler', { directory: mountpoint })
    await vault.mount()
    await vault.shell('echo kept > file; sync file')
    await vault.unmount()
    await vault.shell(`rm -r ${vault.logPath}`, { directory: '/' })
  }
}

for (const kind of ['tmpfs', 'ext4'] as const) {
  for (const user of userToTest()) {
    const skip = isRoot ? false : 'needs root'
    t.test(`a chain made on a full ${kind}, as ${user.title}`, { skip, timeout: 100_000 }, (t) =>
      creation(t, kind, user),
    )
    t.test(`a full ${kind}, as ${user.title}`, { skip, timeout: 400_000 }, (t) => disk(t, kind, user))
  }
}
