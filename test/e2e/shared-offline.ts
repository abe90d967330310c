/** Two mounts of one chain of a server, one of which is cut off for a while: what both have made is there in the end. */
import { readdirSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import t, { type Test } from 'tap'
import { startAtedb } from '../helpers/atedb-server.js'
import { type CliWorld, cliWorld, shell } from '../helpers/cli.js'
import { type CutOff, cutOff } from '../helpers/cut-off.js'

interface Machines {
  world: CliWorld
  a: string
  b: string
  /** The way of `b` to the server. */
  way: CutOff
  mountB: (...flags: string[]) => Promise<void>
}

async function machines(t: Test, trust = 'centralized'): Promise<Machines> {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth', '-t', trust], world.path('served'))
  const way = await cutOff(t, server.port)
  writeFileSync(world.path('passfile'), 'secret')
  const mount = async (machine: 'a' | 'b', port: number, ...flags: string[]): Promise<void> => {
    const place = ['--log-path', world.path(`logs-${machine}`), '--passfile', world.path('passfile')]
    const url = `ws://127.0.0.1:${port}/db`
    const mounted = await world.run(['mount', world.path(machine), 'team', '-r', url, ...place, ...flags])
    t.equal(mounted.code, 0, mounted.stderr)
  }
  await mount('a', server.port)
  const mountB = (...flags: string[]): Promise<void> => mount('b', way.port, '--recovery-mode', 'async', ...flags)
  await mountB()
  return { world, a: world.path('a'), b: world.path('b'), way, mountB }
}

/** Until the shell says yes; each try is a process of its own. */
async function soon(t: Test, condition: string, what: string): Promise<void> {
  const line = `for i in $(seq 150); do if ${condition}; then exit 0; fi; sleep 0.1; done 2>/dev/null; exit 1`
  await t.resolves(shell(line), what)
}

const LIST = `find . -printf '%P %y %i %n %s %m %T@ %l\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum`

async function demandSame(t: Test, { world, a, b }: Machines): Promise<void> {
  t.equal(await shell(`cd ${b}; ${LIST}`), await shell(`cd ${a}; ${LIST}`), 'one tree')
  for (const mount of [a, b]) {
    const ended = await world.run(['umount', mount])
    t.equal(ended.code, 0, ended.stderr)
  }
  for (const machine of ['a', 'b']) {
    const [place = ''] = await filesOf(world, machine, 'manifest')
    const copy = dirname(place)
    const chain = [basename(copy), '--log-path', dirname(copy), '--passfile', world.path('passfile')]
    const checked = await world.run(['fsck', ...chain])
    t.equal(checked.code, 0, checked.stdout + checked.stderr)
  }
}

async function filesOf(world: CliWorld, machine: string, name: string): Promise<string[]> {
  const found = await shell(`find ${world.path(`logs-${machine}`)} -name '${name}'`)
  return found.split('\n').filter((line) => line !== '')
}

for (const trust of ['centralized', 'distributed'])
  await t.test(
    `what both have made is merged into the mount as it is, and what is open stays open, ${trust} trust`,
    async (t) => {
      const all = await machines(t, trust)
      const { world, a, b, way } = all
      await shell(`cd ${a}; echo before > shared.txt; echo before > left; mkdir d; echo x > d/moved`)
      await soon(t, `[ -e ${b}/d/moved ] && [ "$(cat ${b}/shared.txt)" = before ]`, 'there')
      way.cut()
      await shell(`cd ${b}; echo offline > shared.txt; mkdir new; echo 1 > new/one; mv d/moved new/moved; rm left; ls`)
      const handle = await open(`${b}/new/open`, 'a+')
      await handle.write('written offline, ')
      await shell(`sync ${b}/new/one; cd ${a}; echo online > shared.txt; echo added > added`)
      way.restore()
      await handle.write('and after')
      await soon(
        t,
        `[ "$(cat ${b}/shared.txt)" = online ] && [ "$(cat ${b}/shared*conflict*)" = offline ]`,
        'both versions',
      )
      await handle.write('wards')
      await handle.sync()
      await handle.close()
      await soon(t, `[ "$(cat ${a}/new/open)" = "written offline, and afterwards" ]`, 'the open file went on')
      await soon(t, `[ "$(cat ${a}/new/moved)" = x ] && [ ! -e ${a}/left ] && [ -e ${b}/added ]`, 'and the rest')
      t.match((await world.run(['status', b])).stdout, /connected/)
      t.equal((await filesOf(world, 'b', '*.export')).length, 1, 'what was set aside is kept')
      t.strictSame(await filesOf(world, 'b', '*.chain'), [], 'nothing is left to be merged')
      await demandSame(t, all)
    },
  )

await t.test('after a crash it is merged by the next mount, once', async (t) => {
  const all = await machines(t)
  const { world, a, b, way, mountB } = all
  await shell(`echo before > ${a}/both`)
  await soon(t, `[ -e ${b}/both ]`, 'there')
  way.cut()
  await shell(`cd ${b}; echo offline > both; echo x > offline; sync both offline`)
  const { pid } = (await world.run(['status', b, '--json'])).json() as { pid: number }
  process.kill(pid, 'SIGKILL')
  await shell(`echo online > ${a}/both; fusermount3 -u ${b} || fusermount -u ${b}`)
  way.restore()
  await mountB()
  await soon(t, `[ "$(cat ${a}/offline)" = x ]`, 'merged')
  await soon(t, `[ "$(cat ${a}/both)" = online ] && [ "$(cat ${a}/both*conflict*)" = offline ]`, 'both versions')
  t.equal(readdirSync(a).length, 3)
  await demandSame(t, all)
})
