/** How daemons end that nobody asks nicely: by signals, by force, by a crash. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import t from 'tap'
import { isAlive, listMounts } from '../../src/fs/daemon/registry.js'
import { BIN, cliWorld, mountpointsBelow, shell, type CliWorld } from '../helpers/cli.js'

/** Mounts a chain without passphrase; gives its daemon. */
async function mount(world: CliWorld, name: string): Promise<number> {
  const result = await world.run(['mount', world.path(name), '--no-auth', '--json'])
  if (result.code !== 0) throw new Error(result.stdout + result.stderr)
  return Number(result.json()['pid'])
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

function runtimeOf(world: CliWorld): string {
  return world.path('run', 'atefs')
}

t.test('what SIGKILL leaves is cleared by mount, by umount, and never blocks', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  for (const clear of ['mount', 'umount']) {
    const pid = await mount(world, 'vault')
    const [daemon] = listMounts(runtimeOf(world))
    await shell(`echo ${clear} > ${vault}/${clear}; sync ${vault}/${clear}`)
    process.kill(pid, 'SIGKILL')
    await until(() => daemon === undefined || !isAlive(daemon))
    const status = await world.run(['status', vault, '--json'])
    t.match(status.json(), { state: 'silent', mountpoint: vault })
    if (clear === 'umount') {
      const cleared = (await world.run(['umount', vault, '--json'])).json()
      t.same(cleared, { mountpoint: vault, outcome: 'dead' }, 'and nothing of a temporary chain')
    }
    const again = await world.run(['mount', vault, '--json'])
    t.equal(again.code, 0, again.stdout)
    if (clear === 'mount') t.match(again.json()['notices'], [/cleared the mount/, /no passphrase/])
    t.equal(await shell(`cat ${vault}/${clear}`), `${clear}\n`)
    await world.run(['umount', vault])
  }
})

for (const notices of ['umount', 'status'] as const) {
  t.test(`a temporary chain whose daemon was killed is removed by ${notices}, and umount says so`, async (t) => {
    const world = cliWorld(t)
    for (const options of [[], ['-o', 'fsname=other']]) {
      const mounted = await world.run(['mount', '--temp', world.path('scratch'), '--json', ...options])
      const { pid, directory } = mounted.json()
      const [daemon] = listMounts(runtimeOf(world))
      process.kill(Number(pid), 'SIGKILL')
      await until(() => daemon === undefined || !isAlive(daemon))
      t.ok(existsSync(String(directory)))
      // Then the name of the source is all that is left to know it by.
      if (notices === 'status') await world.run(['status'])
      const { stdout } = await world.run(['umount', world.path('scratch')])
      if (notices === 'umount' || options.length === 0) {
        t.match(stdout, /daemon had died, and with it its temporary chain/)
        t.notMatch(stdout, /durable/)
      }
      t.notOk(existsSync(String(directory)))
      t.same(readdirSync(runtimeOf(world)), [])
    }
  })
}

t.test('a mount in the foreground outlives whoever reads what it says', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  const args = ['mount', '--foreground', '--no-auth', vault]
  const daemon = spawn(process.execPath, [BIN, ...args], { env: world.environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  daemon.stdout.on('data', (text: Buffer) => (said += text.toString()))
  await until(() => said.includes('Mounted'))
  daemon.stdout.destroy()
  daemon.stderr.destroy()
  await shell(`echo kept > ${vault}/file`)
  const ended = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  t.same(await ended, [0, null])
  t.same(mountpointsBelow(world.directory), [])
  await mount(world, 'vault')
  t.equal(await shell(`cat ${vault}/file`), 'kept\n')
  await world.run(['umount', vault])
})

t.test('SIGTERM to the background process unmounts; in use, a second one ends it by force', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  const pid = await mount(world, 'vault')
  const [daemon] = listMounts(runtimeOf(world))
  const holder = spawn('/bin/sh', ['-c', `exec 3> ${vault}/held; echo held >&3; echo ready; read line`])
  await once(holder.stdout, 'data')
  process.kill(pid, 'SIGTERM')
  await shell(`until grep -q 'goes on' ${world.path('state/atefs')}/*.log; do sleep 0.01; done; cat ${vault}/held`)
  process.kill(pid, 'SIGTERM')
  await until(() => daemon === undefined || !isAlive(daemon))
  t.same(mountpointsBelow(world.directory), [])
  holder.stdin.end()
  await mount(world, 'vault')
  t.equal(await shell(`cat ${vault}/held`), 'held\n')
})

t.test('in the foreground a signal unmounts, and the exit code is 0', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const child = spawn(process.execPath, [BIN, 'mount', '-f', vault, '--no-auth'], { env: world.environment })
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    t.match(line, /Created|Mounted/)
    await shell(`until grep -q ${vault} /proc/mounts; do sleep 0.01; done; echo ${signal} >> ${vault}/signals`)
    child.kill(signal)
    t.same(await once(child, 'close'), [0, null], signal)
    t.same(mountpointsBelow(world.directory), [])
  }
  await world.run(['mount', vault])
  t.equal(await shell(`cat ${vault}/signals`), 'SIGINT\nSIGTERM\nSIGHUP\n')
})
