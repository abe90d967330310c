/** Real mounts, each served by another process. The whole behaviour of files is test/e2e/contract-direct.ts. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DirectMountProcess } from '../../../helpers/direct-mount.js'
import { run } from '../../../helpers/program.js'
import { isRoot, ordinaryUser, testingUser, usersToTest } from '../../../helpers/user.js'

const mount = DirectMountProcess.start(t)
/** A path in the mount. */
const path = (name: string): string => join(mount.mountpoint, name)
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '' }

/** The mount's line in /proc/mounts. */
function mountLine(mountpoint: string): string | undefined {
  return fs
    .readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[1] === mountpoint)
}

for (const user of usersToTest()) {
  t.test(`${user.title} mounts, uses and unmounts`, async (t) => {
    const mount = DirectMountProcess.start(t, user)
    const { mountpoint } = mount
    await mount.mount(t, { kernelOptions: ['nosuid', 'nodev', 'relatime'] })
    const line = mountLine(mountpoint)
    t.match(line, /^in\\040memory \S+ fuse\.atefs rw,nosuid,nodev,/)
    t.match(line, new RegExp(`user_id=${user.uid},.*default_permissions`))
    const script = 'echo content > f && ln f g && mv g h && mkdir d && rm f && cat h && ls && stat -c %U:%a h'
    const used = await run('sh', ['-c', script], { user, environment: ENVIRONMENT, directory: mountpoint })
    t.match(used, { code: 0, stderr: '' })
    t.match(used.stdout.toString(), /^content\nd\nh\n\S+:644\n$/)
    await mount.ask({ call: 'unmount', lazy: false })
    await mount.ended
    t.equal(mountLine(mountpoint), undefined)
  })
}

t.test('umount(8) by another process ends the mount', async (t) => {
  await mount.mount(t)
  const [program, ...args] = isRoot ? ['umount'] : ['fusermount3', '-u']
  t.equal(spawnSync(program, [...args, mount.mountpoint]).status, 0)
  await mount.ended
})

t.test('an aborted connection ends the mount', { skip: isRoot ? false : 'only root may abort' }, async (t) => {
  await mount.mount(t)
  const { dev } = fs.statSync(mount.mountpoint)
  // The connection's number is the minor number of the device.
  const connections = '/sys/fs/fuse/connections'
  if (!fs.existsSync(`${connections}/${dev & 0xff}`)) {
    spawnSync('mount', ['-t', 'fusectl', 'fusectl', connections])
    t.teardown(() => spawnSync('umount', [connections]))
  }
  fs.writeFileSync(`${connections}/${dev & 0xff}/abort`, '1')
  await mount.ended
  t.throws(() => fs.statSync(path('absent')), { code: 'ENOTCONN' }, 'but leaves its place occupied')
  spawnSync('umount', ['-l', mount.mountpoint])
})

t.test('a mount in use is busy, and can be taken away lazily', async (t) => {
  await mount.mount(t)
  const fd = fs.openSync(path('open'), 'w+')
  await t.rejects(mount.ask({ call: 'unmount', lazy: false }), { code: 'MOUNTPOINT_BUSY' })
  fs.writeSync(fd, 'still served')
  const away = mount.ask({ call: 'unmount', lazy: true })
  while (mountLine(mount.mountpoint) !== undefined) await new Promise(setImmediate)
  t.equal(fs.readSync(fd, Buffer.alloc(100), 0, 100, 0), 12, 'also when it is out of the tree')
  fs.closeSync(fd)
  await away
  await mount.ended
})

t.test('what cannot be mounted on, or with, is refused with its reason', async (t) => {
  const absent = path('absent')
  await t.rejects(mount.mount(t, { mountpoint: absent }), { code: 'MOUNTPOINT_UNUSABLE', message: new RegExp(absent) })
  const kernelOptions = ['nosuid', 'frobnicate']
  await t.rejects(mount.mount(t, { kernelOptions }), { code: 'BAD_OPTION', message: /frobnicate|options/ })
  t.equal(mountLine(mount.mountpoint), undefined)
})

t.test('an ordinary user needs a directory of his own', async (t) => {
  const mount = DirectMountProcess.start(t, ordinaryUser())
  await t.rejects(mount.mount(t, { mountpoint: '/usr' }), { code: 'MOUNTPOINT_UNUSABLE', message: /own/ })
  await t.rejects(mount.mount(t, { mountpoint: '/absent' }), { code: 'MOUNTPOINT_UNUSABLE' })
  const allowed = /^user_allow_other$/m.test(fs.readFileSync('/etc/fuse.conf', 'utf8'))
  if (allowed) return
  const refused = { code: 'MOUNT_REFUSED', hint: /user_allow_other to \/etc\/fuse\.conf/ }
  await t.rejects(mount.mount(t, { allowOther: true }), refused)
  await t.rejects(mount.mount(t, { allowRoot: true }), refused)
})

t.test('a read-only mount refuses changes', async (t) => {
  await mount.mount(t, { readOnly: true })
  t.match(mountLine(mount.mountpoint), / ro,/)
  t.throws(() => fs.mkdirSync(path('d')), { code: 'EROFS' })
  if (isRoot) {
    spawnSync('mount', ['-o', 'remount,rw', mount.mountpoint])
    t.throws(() => fs.mkdirSync(path('d')), { code: 'EROFS' }, 'whatever the kernel is told')
  }
})

t.test('a fixed owner and mask are what programs see', async (t) => {
  await mount.mount(t, { uid: testingUser.uid, gid: 4242, umask: 0o027 })
  const file = path('f')
  fs.writeFileSync(file, '', { mode: 0o666 })
  t.match(fs.statSync(file), { uid: testingUser.uid, gid: 4242, mode: 0o100640 })
  if (isRoot) t.throws(() => fs.chownSync(file, 7, 4242), { code: 'EPERM' })
})

t.test('a request that waits holds up no other, and is not starved by them', async (t) => {
  await mount.mount(t)
  const file = path('f')
  fs.writeFileSync(file, 'x')
  await mount.ask({ call: 'closeGate' })
  const handle = await fs.promises.open(file, 'r+')
  const progress = { synced: false }
  const waiting = handle.sync().then(() => (progress.synced = true))
  for (let i = 0; i < 1000; i++) fs.existsSync(path(`absent-${i}`))
  t.equal(progress.synced, false, 'all of these were answered meanwhile')
  await mount.ask({ call: 'openGate', afterMs: 20 })
  // Without a pause: the answer must get through between these.
  for (let i = 0; !progress.synced; i++) await fs.promises.stat(path(`none-${i}`)).catch(() => undefined)
  await waiting
  await handle.close()
})

t.test('who waits for a request that does not end can be killed, and others cannot tell', async (t) => {
  await mount.mount(t)
  const file = path('f')
  fs.writeFileSync(file, 'x')
  await mount.ask({ call: 'closeGate' })
  await mount.counts()
  const syncer = spawn('sync', [file])
  const FSYNC = 20
  while ((await mount.counts())[FSYNC] === undefined);
  syncer.kill('SIGCONT')
  syncer.kill('SIGKILL')
  const [code, signal] = (await once(syncer, 'exit')) as [number | null, string | null]
  t.same([code, signal], [null, 'SIGKILL'])
  await mount.ask({ call: 'openGate', afterMs: 0 })
  t.equal(fs.readFileSync(file, 'utf8'), 'x', 'the mount lives on')
})

t.test('a signal that is handled does not interrupt a request', async (t) => {
  await mount.mount(t)
  const file = path('f')
  fs.writeFileSync(file, 'x')
  await mount.ask({ call: 'closeGate' })
  await mount.counts()
  const program =
    'import os,signal,sys\nsignal.signal(signal.SIGUSR1,lambda *a:None)\nos.fsync(os.open(sys.argv[1],os.O_RDWR))'
  const syncer = spawn('python3', ['-c', program, file])
  const [FSYNC, INTERRUPT] = [20, 36]
  const seen: Record<number, number> = {}
  const watch = async (opcode: number): Promise<void> => {
    while (seen[opcode] === undefined) Object.assign(seen, await mount.counts())
  }
  await watch(FSYNC)
  syncer.kill('SIGUSR1')
  await watch(INTERRUPT)
  t.equal(syncer.exitCode, null)
  await mount.ask({ call: 'openGate', afterMs: 0 })
  t.same(await once(syncer, 'exit'), [0, null])
})

t.test('changes made elsewhere are seen at once when the kernel is told', async (t) => {
  await mount.mount(t)
  fs.writeFileSync(path('f'), 'before')
  t.equal(fs.readFileSync(path('f'), 'utf8'), 'before')
  await mount.ask({ call: 'changeContent', name: 'f', content: 'and after' })
  t.equal(fs.readFileSync(path('f'), 'utf8'), 'and after')
  t.equal(fs.statSync(path('f')).size, 9)
  t.equal(fs.existsSync(path('new')), false)
  t.same(fs.readdirSync(mount.mountpoint), ['f'])
  await mount.ask({ call: 'addElsewhere', name: 'new' })
  t.equal(fs.existsSync(path('new')), true)
  t.same(fs.readdirSync(mount.mountpoint), ['f', 'new'])
  await mount.ask({ call: 'removeElsewhere', name: 'f' })
  t.equal(fs.existsSync(path('f')), false)
  t.same(fs.readdirSync(mount.mountpoint), ['new'])
})
