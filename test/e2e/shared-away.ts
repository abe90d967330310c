/** The table of recovery modes on the mount (docs/cli.md): what each does when its server is killed. Nothing waits for long. */
import t, { type Test } from 'tap'
import type { RecoveryMode } from '../../src/client/index.js'
import { Locker, servedMounts, tool } from '../helpers/served-mounts.js'

/** What becomes of each, on a mount whose server is gone: an answer, or the name of an error. */
interface Row {
  open: 'ok' | 'EIO'
  write: 'ok' | 'EROFS' | 'EIO'
  sync: 'ok' | 'EIO'
  lock: 'ok' | 'ENOLCK'
}

const TABLE: Readonly<Record<RecoveryMode, Row>> = {
  'readonly-async': { open: 'ok', write: 'EROFS', sync: 'ok', lock: 'ok' },
  async: { open: 'ok', write: 'ok', sync: 'ok', lock: 'ok' },
  'readonly-sync': { open: 'EIO', write: 'EROFS', sync: 'ok', lock: 'ENOLCK' },
  sync: { open: 'EIO', write: 'EIO', sync: 'ok', lock: 'ENOLCK' },
}
const MODES = Object.keys(TABLE) as RecoveryMode[]
/** The server is waited for 5 seconds each time. */
const LIMIT_MS = 60_000

const machines = await servedMounts(t, MODES)
const mounts = new Map<RecoveryMode, string>()
for (const mode of MODES) mounts.set(mode, await machines.mount(mode, '--recovery-mode', mode))
const first = await Locker.open(t, `${mounts.get('sync')}/file`)
await first.ask('append content')
await first.ask('sync')
const opened = new Map<RecoveryMode, Locker>()
for (const mode of MODES) {
  const locker = await Locker.open(t, `${mounts.get(mode)}/file`)
  await locker.until('read', 'content ')
  opened.set(mode, locker)
}
await first.end()

/** Where somebody waited for the server it would be 45 seconds until it is given up. */
const AT_ONCE_MS = 5000

/** statfs, and the root: however the server is. */
async function demandAtOnce(t: Test, mountpoint: string): Promise<void> {
  const began = performance.now()
  t.equal(await tool('stat', '-f', mountpoint), 'ok', 'statfs')
  t.equal(await tool('ls', '-U', '--color=never', mountpoint), 'ok', 'the root')
  const took = Math.round(performance.now() - began)
  t.ok(took < AT_ONCE_MS, `in ${took} ms`)
}

await t.test('a server that says nothing: statfs and the root do not wait for it', async (t) => {
  for (const mode of MODES) machines.way(mode).stall()
  for (const mode of MODES) await t.test(mode, (t) => demandAtOnce(t, mounts.get(mode) ?? ''))
  for (const mode of MODES) machines.way(mode).heal()
})

const killed = machines.server.end('SIGKILL')
// At the same time: each of them waits.
await Promise.all(
  MODES.map((mode) =>
    t.test(`${mode}, without its server`, async (t) => {
      const row = TABLE[mode]
      const [mountpoint, locker] = [mounts.get(mode) ?? '', opened.get(mode)]
      if (locker === undefined) throw new Error('not opened')
      await killed
      const began = performance.now()
      t.equal(await locker.ask('append more'), row.write, 'a change')
      t.equal(await locker.ask('lock flock 0 0'), row.lock, 'a lock')
      t.equal(await locker.ask('read'), row.write === 'ok' ? 'content more ' : 'content ', 'a file that is open')
      t.equal(await locker.ask('sync'), row.sync, 'fsync')
      t.equal(await tool('cat', `${mountpoint}/file`), row.open, 'an open by name')
      await demandAtOnce(t, mountpoint)
      t.ok(performance.now() - began < LIMIT_MS, `in ${Math.round(performance.now() - began)} ms`)
      const status = await machines.world.run(['status', mountpoint])
      t.match(status.stdout, mode === 'async' ? /away.*not there yet/ : /away/)
      await locker.end()
      const ended = await machines.world.run(['umount', mountpoint])
      t.equal(ended.code, 0, ended.stderr)
      if (mode === 'async') t.match(ended.stdout, /not at the server/)
    }),
  ),
)
