/** Mounts whose daemon is registered in another runtime directory than ours: sudo, cron, another login. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { isAlive, listMounts, type MountRecord } from '../../src/fs/daemon/registry.js'
import { BIN, cliWorld, mountpointsBelow, runProgram, shell, type CliResult, type CliWorld } from '../helpers/cli.js'
import { NEEDS_ROOT } from '../helpers/namespace.js'
import { isRoot, ordinaryUser } from '../helpers/user.js'
import { isRunning, Vault } from '../helpers/vault.js'

/** What a mount waits for a holder of which it knows nothing. */
const WAIT_FOR_UNKNOWN_MS = 10_000

interface Mounted {
  world: CliWorld
  vault: string
  daemon: MountRecord
  /** Runs a command that has no idea of the daemon's runtime directory. */
  elsewhere: (...args: string[]) => Promise<CliResult>
}

async function mounted(t: Test, ...flags: string[]): Promise<Mounted> {
  const world = cliWorld(t)
  const vault = world.path('vault')
  const { code, stdout } = await world.run(['mount', vault, '--no-auth', '--json', ...flags])
  const [daemon] = listMounts(world.path('run', 'atefs'))
  if (code !== 0 || daemon === undefined) throw new Error(stdout)
  mkdirSync(world.path('run2'), { mode: 0o700 })
  const environment = { ...world.environment, XDG_RUNTIME_DIR: world.path('run2') }
  const elsewhere = (...args: string[]): Promise<CliResult> =>
    runProgram(process.execPath, [BIN, ...args, '--json'], environment)
  return { world, vault, daemon, elsewhere }
}

t.test('umount waits for the end of the daemon and says that all is durable', async (t) => {
  const { world, vault, daemon, elsewhere } = await mounted(t)
  await shell(`head -c 3000000 /dev/urandom > ${vault}/data; cp ${vault}/data ${world.path('copy')}`)
  const result = await elsewhere('umount', vault)
  t.match(result.json(), { mountpoint: vault, outcome: 'durable', pid: daemon.pid })
  t.notOk(isAlive(daemon))
  await world.run(['mount', vault])
  await shell(`cmp ${vault}/data ${world.path('copy')}`)
})

t.test('umount finds the daemon of a mount whose source says nothing', async (t) => {
  const { world, vault, daemon, elsewhere } = await mounted(t, '-o', 'fsname=/dev/sda1')
  const other = world.path('other')
  await world.run(['mount', other, '--no-auth', '-o', 'fsname=/dev/sda1'])
  await shell(`head -c 3000000 /dev/urandom > ${vault}/data; cp ${vault}/data ${world.path('copy')}`)
  const isTold = readdirSync(`/proc/${daemon.pid}/fdinfo`).some((fd) =>
    readFileSync(`/proc/${daemon.pid}/fdinfo/${fd}`, 'latin1').includes('fuse_connection:'),
  )
  const outcome = isTold ? 'durable' : 'unknown'
  t.match((await elsewhere('umount', vault)).json(), isTold ? { outcome, pid: daemon.pid } : { outcome })
  if (isTold) t.notOk(isAlive(daemon))
  t.equal((await elsewhere('umount', other)).json()['outcome'], outcome)
  await world.run(['mount', vault])
  await shell(`cmp ${vault}/data ${world.path('copy')}`)
})

t.test('umount by root waits for the daemon of an ordinary user', { skip: isRoot ? false : NEEDS_ROOT }, async (t) => {
  const vault = Vault.create(t, ordinaryUser())
  await vault.mount()
  await vault.shell('head -c 3000000 /dev/urandom > data')
  const { daemon } = vault
  const world = cliWorld(t)
  const result = await world.run(['umount', vault.mountpoint, '--json'])
  t.match(result.json(), { mountpoint: vault.mountpoint, outcome: 'durable', pid: daemon })
  t.notOk(isRunning(daemon))
})

t.test('umount of a mount that only reads has nothing to wait for', async (t) => {
  const { world, vault, elsewhere } = await mounted(t)
  await world.run(['umount', vault])
  await world.run(['mount', vault, '--read-only'])
  t.match((await elsewhere('umount', vault)).json(), { outcome: 'durable' })
})

t.test('umount tells when the daemon died before everything was durable', async (t) => {
  const { world, vault, daemon, elsewhere } = await mounted(t)
  // All of them are still to be written to the index when it ends.
  await shell(`cd ${vault}; seq 5000 | xargs touch`)
  const result = elsewhere('umount', vault)
  while (mountpointsBelow(world.path()).length > 0) await new Promise(setImmediate)
  process.kill(daemon.pid, 'SIGKILL')
  t.match((await result).json(), { error: { code: 'WRITE_FAILED', exitCode: 24 } })
})

t.test('umount of a mount in use names who, and says nothing of what only the daemon knows', async (t) => {
  const { vault, elsewhere } = await mounted(t)
  const holder = spawn('/bin/sh', ['-c', `cd ${vault}; echo ready; read line`])
  await once(holder.stdout, 'data')
  const refused = await elsewhere('umount', vault)
  t.match(refused.json(), {
    error: { code: 'MOUNTPOINT_BUSY', message: `(${holder.pid})`, hint: /^Close what uses it/ },
  })
  holder.stdin.end()
  await once(holder, 'close')
  t.match((await elsewhere('umount', vault)).json(), { outcome: 'durable' })
})

t.test('a mount of a chain whose daemon is committing waits for it', async (t) => {
  const { world, vault, daemon, elsewhere } = await mounted(t)
  await shell(`head -c 3000000 /dev/urandom > ${vault}/data; cp ${vault}/data ${world.path('copy')}`)
  // umount(8) would ask it something.
  process.kill(daemon.pid, 'SIGSTOP')
  await shell(`fusermount3 -u ${vault}`)
  const result = elsewhere('mount', vault)
  await new Promise((resolve) => setTimeout(resolve, WAIT_FOR_UNKNOWN_MS + 2000))
  process.kill(daemon.pid, 'SIGCONT')
  const again = await result
  t.equal(again.code, 0)
  t.match(again.json()['notices'], [/no passphrase/, `waiting for process ${daemon.pid}`])
  await shell(`cmp ${vault}/data ${world.path('copy')}`)
  t.equal((await elsewhere('umount', vault)).code, 0)
})

t.test('a mount of a chain that is mounted elsewhere is refused at once', async (t) => {
  const { world, vault, daemon, elsewhere } = await mounted(t)
  const began = performance.now()
  const second = await elsewhere('mount', world.path('other'), 'vault')
  t.match(second.json(), {
    error: { code: 'CHAIN_LOCKED', message: `mounted at ${vault} by process ${daemon.pid}` },
  })
  t.ok(performance.now() - began < WAIT_FOR_UNKNOWN_MS, 'not waited for')
  await world.run(['umount', vault])
  await world.run(['mount', vault, '--read-only'])
  const third = await elsewhere('mount', world.path('other'), 'vault')
  t.match(third.json(), { error: { code: 'CHAIN_LOCKED', message: `mounted at ${vault}` } }, 'by a reader too')
})

t.test('a chain that was closed names nobody any more', async (t) => {
  const { world, vault, daemon } = await mounted(t)
  const lock = world.path('data/atefs/vault/lock')
  t.equal(readFileSync(lock, 'latin1'), `${daemon.pid}\n`)
  await world.run(['umount', vault])
  t.equal(readFileSync(lock, 'latin1'), '')
})
