/** How mounts end: asked for, or from outside. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isAlive, listMounts } from '../../src/fs/daemon/registry.js'
import { cliWorld, shell, type CliWorld } from '../helpers/cli.js'

/** Mounts a chain without passphrase; gives its daemon. */
async function mount(world: CliWorld, name: string): Promise<number> {
  const result = await world.run(['mount', world.path(name), '--no-auth', '--json'])
  if (result.code !== 0) throw new Error(result.stdout + result.stderr)
  return Number(result.json()['pid'])
}

function runtimeOf(world: CliWorld): string {
  return world.path('run', 'atefs')
}

t.test('umount returns when all is durable and the process has ended', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  const pid = await mount(world, 'vault')
  const [daemon] = listMounts(runtimeOf(world))
  t.equal(daemon?.pid, pid)
  await shell(`head -c 3000000 /dev/zero > ${vault}/zeros`)
  const result = await world.run(['umount', vault, '--json'])
  t.match(result.json(), { mountpoint: vault, outcome: 'durable', pid, durableSequence: Number })
  t.notOk(daemon !== undefined && isAlive(daemon))
  t.same(readdirSync(runtimeOf(world)), [])
  t.equal((await world.run(['umount', vault])).code, 10, 'nothing is mounted any more')
})

t.test('a mount in use stays, with 10 and the name of who uses it', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  await mount(world, 'vault')
  const user = spawn('/bin/sh', ['-c', 'echo ready; read line'], { cwd: world.directory })
  await once(user.stdout, 'data')
  const holder = spawn('/bin/sh', ['-c', `cd ${vault}; echo ready; read line`])
  await once(holder.stdout, 'data')
  const refused = await world.run(['umount', vault])
  t.equal(refused.code, 10)
  t.match(refused.stderr, new RegExp(`in use by \\S+ \\(${holder.pid}\\)`))
  t.notMatch(refused.stderr, `(${user.pid})`)
  await shell(`echo still > ${vault}/works`)
  holder.stdin.end()
  user.stdin.end()
  await once(holder, 'close')
  t.equal((await world.run(['umount', vault])).code, 0)
})

t.test('after a plain umount the daemon commits, and a remount at once finds everything', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  await mount(world, 'vault')
  for (let round = 1; round <= 2; round++) {
    await shell(`head -c 2000000 /dev/urandom > ${vault}/data; cp ${vault}/data ${world.path('copy')}`)
    await shell(process.getuid?.() === 0 ? `umount ${vault}` : `fusermount3 -u ${vault}`)
    await mount(world, 'vault')
    await shell(`cmp ${vault}/data ${world.path('copy')}`)
  }
  t.pass('twice')
})

t.test('umount after a plain umount waits for the daemon', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  await mount(world, 'vault')
  const [daemon] = listMounts(runtimeOf(world))
  await shell(`head -c 2000000 /dev/urandom > ${vault}/data`)
  await shell(process.getuid?.() === 0 ? `umount ${vault}` : `fusermount3 -u ${vault}`)
  const { code, stdout } = await world.run(['umount', vault])
  t.equal(code, 0)
  t.match(stdout, /everything is durable \(batch \d+\)/)
  t.notOk(daemon !== undefined && isAlive(daemon))
  t.equal((await world.run(['umount', vault])).code, 10, 'it is told once')
})

t.test('umount says that a mount which has just ended by itself is durable', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  await mount(world, 'vault')
  const [daemon] = listMounts(runtimeOf(world))
  await shell(process.getuid?.() === 0 ? `umount ${vault}` : `fusermount3 -u ${vault}`)
  while (daemon !== undefined && isAlive(daemon)) await sleep(20)
  t.equal((await world.run(['status', vault])).code, 10, 'nothing is mounted')
  const ended = await world.run(['umount', vault, '--json'])
  t.equal(ended.code, 0, ended.stdout)
  t.match(ended.json(), { mountpoint: vault, outcome: 'durable', pid: daemon?.pid, durableSequence: Number })
  t.same(readdirSync(runtimeOf(world)), [])
  await mount(world, 'vault')
  await shell(process.getuid?.() === 0 ? `umount ${vault}` : `fusermount3 -u ${vault}`)
  await mount(world, 'vault')
  t.equal((await world.run(['umount', vault])).code, 0)
  t.same(readdirSync(runtimeOf(world)), [], 'a later mount has nothing to do with it')
})

t.test('a chain that is mounted is locked, and a second mount says where', async (t) => {
  const world = cliWorld(t)
  const pid = await mount(world, 'vault')
  const second = await world.run(['mount', world.path('other'), 'vault', '--no-auth'])
  t.equal(second.code, 11)
  t.match(second.stderr, `mounted at ${world.path('vault')} by process ${pid}`)
})

t.test('other mounts and plain directories are not ours to unmount', async (t) => {
  const world = cliWorld(t)
  for (const place of ['/proc', world.directory, world.path('none')]) {
    const result = await world.run(['umount', place])
    t.equal(result.code, 10, place)
    t.match(result.stderr, /mounted/)
  }
})
