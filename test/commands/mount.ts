/** The program itself on real mounts: what it says, how it exits, what is there afterwards. */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cliWorld, mountpointsBelow, shell } from '../helpers/cli.js'
import { isRoot, testingUser } from '../helpers/user.js'

t.test('the first mount makes the chain and says so, the second one finds everything', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  const first = await world.run(['mount', vault], { input: 'secret\n' })
  t.equal(first.code, 0, first.stderr)
  t.match(first.stdout, `Created a new, empty chain vault in ${world.path('data/atefs/vault')}`)
  t.match(first.stdout, `Mounted vault at ${vault}`)
  t.match(readFileSync('/proc/self/mounts', 'utf8'), `${vault} fuse.atefs rw,nosuid,nodev`)
  await shell(`mkdir ${vault}/d; echo kept > ${vault}/d/file`)
  t.equal((await world.run(['umount', vault])).code, 0)
  t.same(readdirSync(vault), [])

  const second = await world.run(['mount', vault, '--json'], { input: 'secret' })
  t.match(second.json(), {
    created: false,
    mountpoint: vault,
    chain: 'vault',
    driver: 'direct',
    keyBits: 256,
    notices: [],
  })
  t.equal(await shell(`cat ${vault}/d/file`), 'kept\n')
})

t.test(
  'a chain made where there was no directory of chains is told as new and empty, as words and as JSON',
  async (t) => {
    const world = cliWorld(t)
    const passfile = world.path('passfile')
    writeFileSync(passfile, 'secret')
    const flags = ['--passfile', passfile, '--log-path']
    for (const json of [false, true]) {
      const logPath = world.path(`disk-${json}`, 'chains')
      const mounted = await world.run(['mount', world.path('vault'), ...flags, logPath, ...(json ? ['--json'] : [])])
      const said = [new RegExp(`^${logPath} was not there`), `Created a new, empty chain vault in ${logPath}/vault`]
      if (json) t.match(mounted.json(), { created: true, directory: `${logPath}/vault`, notices: said })
      else {
        t.match(mounted.stderr, said[0])
        t.match(mounted.stdout, said[1])
      }
      await world.run(['umount', world.path('vault')])
      const again = await world.run(['mount', world.path('vault'), ...flags, logPath, '--json'])
      t.same([again.json()['created'], again.json()['notices']], [false, []], 'and only then')
      await world.run(['umount', world.path('vault')])
      const other = await world.run(['mount', world.path('other'), ...flags, logPath, '--json'])
      t.match(
        other.json(),
        { created: true, notices: [/^Created a new, empty chain other/] },
        'the directory is there now',
      )
      await world.run(['umount', world.path('other')])
    }
    const missing = world.path('absent')
    t.equal((await world.run(['mount', world.path('vault'), ...flags, missing, '--no-create'])).code, 6)
    t.notOk(existsSync(missing))
  },
)

t.test('a wrong passphrase, none and an empty one have their exit codes, as words and as JSON', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  await world.run(['mount', vault], { input: 'secret' })
  await world.run(['umount', vault])
  const wrong = await world.run(['mount', vault], { input: 'Secret' })
  t.equal(wrong.code, 12)
  t.equal(wrong.stdout, '')
  const asJson = await world.run(['mount', vault, '--json'], { input: 'Secret' })
  t.equal(asJson.code, 12)
  t.match(asJson.json(), { error: { code: 'WRONG_PASSPHRASE', exitCode: 12 } })
  t.equal((await world.run(['mount', vault], { input: '\n' })).code, 22)
  t.equal((await world.run(['mount', vault, '--passfile', world.path('none')])).code, 9)
  for (const flags of [[], ['-f']]) {
    const elsewhere = await world.run(['mount', world.path('new/m'), 'vault', ...flags], { input: 'Secret' })
    t.equal(elsewhere.code, 12)
    t.notOk(existsSync(world.path('new')), `what was made for it is gone ${flags.join()}`)
  }
  t.ok(existsSync(vault), 'what was there before is not')
  t.same(mountpointsBelow(world.directory), [])
})

t.test('an error of the command line and one of ours exit as the manual says', async (t) => {
  const world = cliWorld(t)
  for (const [args, code, message] of [
    [[], 2, /MOUNTPOINT/],
    [['', 'vault', '--no-auth'], 2, /mountpoint is empty/],
    [[world.path('m'), '--key-size', '512'], 2, /key-size/],
    [[world.path('m'), '--temp', '--no-create'], 2, /temp/],
    [[world.path('m'), '-o', 'ro,bogus'], 2, /'bogus'/],
    [[world.path('m'), '--no-create'], 6, /no chain m/],
  ] as const) {
    const result = await world.run(['mount', ...args])
    t.equal(result.code, code, args.join(' '))
    t.match(result.stderr, message)
    t.equal(result.stdout, '')
  }
})

t.test('a mountpoint or a log that is in use by a mount is refused', async (t) => {
  const world = cliWorld(t)
  mkdirSync(world.path('m'))
  writeFileSync(world.path('m', 'hidden'), '')
  t.equal((await world.run(['mount', world.path('m'), '--no-auth', '--non-empty'])).code, 0)
  t.equal(await shell(`ls ${world.path('m')}`), '')
  t.equal((await world.run(['mount', world.path('m'), '--no-auth'])).code, 10, 'mounted already')
  const nested = await world.run(['mount', world.path('n'), '--no-auth', '--log-path', world.path('m/log')])
  t.equal(nested.code, 2)
  t.match(nested.stderr, /inside the chain mounted at/)
  await world.run(['umount', world.path('m')])
  t.same(readdirSync(world.path('m')), ['hidden'])
})

t.test('a mountpoint behind symbolic links is found again by any of its names', async (t) => {
  const world = cliWorld(t)
  mkdirSync(world.path('real'))
  symlinkSync('real', world.path('link'))
  symlinkSync(world.path('link'), world.path('linklink'))
  const mounted = await world.run(['mount', world.path('linklink'), 'c', '--no-auth', '--json'])
  t.equal(mounted.json()['mountpoint'], world.path('real'))
  t.equal((await world.run(['status', world.path('link'), '--json'])).json()['mountpoint'], world.path('real'))
  t.equal((await world.run(['umount', world.path('link')])).code, 0)
})

t.test('without passphrase the key is a file for its owner only, and mount says what that means', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  const mounted = await world.run(['mount', vault, '--no-auth'])
  t.match(mounted.stderr, /no passphrase.*can read everything/)
  t.equal(statSync(world.path('data/atefs/vault/key')).mode & 0o777, 0o600)
  t.equal(statSync(world.path('data/atefs/vault')).mode & 0o777, 0o700)
  await world.run(['umount', vault])
  t.equal((await world.run(['mount', vault])).code, 0, 'it needs no flag again')
})

t.test('a temporary chain leaves nothing', async (t) => {
  const world = cliWorld(t)
  const mounted = await world.run(['mount', '--temp', world.path('scratch'), '--json'])
  t.equal(mounted.code, 0, mounted.stderr)
  t.match(mounted.json(), { temporary: true, readOnly: false })
  const directory = String(mounted.json()['directory'])
  t.ok(directory.startsWith(world.directory))
  t.equal(statSync(join(directory, '..')).mode & 0o777, 0o700)
  t.notOk(existsSync(join(directory, 'key')) || existsSync(join(directory, 'keyring')), 'the key is in memory only')
  await shell(`echo x > ${world.path('scratch')}/x`)
  const unmounted = await world.run(['umount', world.path('scratch')])
  t.match(unmounted, { code: 0, stdout: /temporary chain is gone/ }, 'nothing of it is called durable')
  t.notOk(existsSync(join(directory, '..')))
})

t.test('a read-only mount changes nothing', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  await world.run(['mount', vault, '--no-auth'])
  await shell(`echo x > ${vault}/x`)
  await world.run(['umount', vault])
  t.equal((await world.run(['mount', vault, '-o', 'ro'])).code, 0)
  t.equal(
    await shell(`cat ${vault}/x; ! touch ${vault}/y 2>&1`),
    `x\ntouch: cannot touch '${vault}/y': Read-only file system\n`,
  )
  t.equal((await world.run(['umount', vault])).code, 0)
})

t.test('the key size is that of a new chain, and no other is accepted later', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  t.equal((await world.run(['mount', vault, '--no-auth', '--key-size', '128', '--json'])).json()['keyBits'], 128)
  await world.run(['umount', vault])
  t.equal((await world.run(['mount', vault, '--key-size', '256'])).code, 2)
  t.equal((await world.run(['mount', vault, '--key-size', '128'])).code, 0)
})

t.test('options reach the kernel and the file system', async (t) => {
  const world = cliWorld(t)
  // An ordinary user may not look into what belongs to somebody else.
  const { uid, gid } = isRoot ? { uid: 1234, gid: 2345 } : testingUser
  const options = `noexec,noatime,uid=${uid},gid=${gid},umask=027,fsname=a box`
  const mounted = await world.run([
    'mount',
    '-o',
    options,
    world.path('m'),
    '--no-auth',
    '-o',
    '_netdev,x-systemd.automount',
  ])
  t.equal(mounted.code, 0, mounted.stderr)
  t.match(
    readFileSync('/proc/self/mounts', 'utf8'),
    new RegExp(`^a\\\\040box ${world.path('m')} fuse.atefs \\S*noexec,noatime`, 'm'),
  )
  t.equal(await shell(`stat -c '%u %g %a' ${world.path('m')}`), `${uid} ${gid} 750\n`)
})
