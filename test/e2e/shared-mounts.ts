/** Two mounts of one chain that a server keeps: the programs themselves, as three machines would run them. */
import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { startAtedb } from '../helpers/atedb-server.js'
import { ChaosProxy } from '../helpers/chaos/proxy.js'
import { type CliResult, type CliWorld, cliWorld, shell } from '../helpers/cli.js'

/** A server that is away is waited for. */
const LONG = { skip: process.env['ATEFS_TEST_LONG'] === undefined ? 'takes half a minute' : false }

interface Machines {
  world: CliWorld
  /** The way to the server. */
  proxy: ChaosProxy
  url: string
  a: string
  b: string
  mount: (machine: 'a' | 'b', ...flags: string[]) => Promise<CliResult>
}

async function machines(t: Test): Promise<Machines> {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth'], world.path('served'))
  const proxy = await ChaosProxy.to(() => server.port)
  t.teardown(() => proxy.close())
  const url = `ws://127.0.0.1:${proxy.port}/db`
  writeFileSync(world.path('passfile'), 'secret')
  const mount = (machine: 'a' | 'b', ...flags: string[]): Promise<CliResult> => {
    const place = ['--log-path', world.path(`logs-${machine}`), '--passfile', world.path('passfile')]
    return world.run(['mount', world.path(machine), 'team', '-r', url, ...place, ...flags])
  }
  return { world, proxy, url, a: world.path('a'), b: world.path('b'), mount }
}

/** Until the shell says yes; each try is a process of its own. */
async function soon(t: Test, condition: string, what: string): Promise<void> {
  const line = `for i in $(seq 200); do if ${condition}; then exit 0; fi; sleep 0.08; done 2>/dev/null; exit 1`
  await t.resolves(shell(line), what)
}

await t.test('the first mount makes the chain at the server, and each sees what the other does', async (t) => {
  const { world, a, b, url, mount } = await machines(t)
  const first = await mount('a')
  t.equal(first.code, 0, first.stderr)
  const second = await mount('b')
  t.equal(second.code, 0, second.stderr)
  await shell(`test ! -e ${b}/new; ls ${b}; echo one > ${a}/new; mkdir ${a}/d; ln -s new ${a}/l`)
  await soon(t, `[ "$(cat ${b}/new)" = one ] && [ -d ${b}/d ] && [ "$(readlink ${b}/l)" = new ]`, 'made')
  await shell(`echo two >> ${b}/new; mv ${b}/d ${b}/e; rm ${b}/l`)
  await soon(t, `[ "$(tail -1 ${a}/new)" = two ] && [ -d ${a}/e ] && [ ! -e ${a}/d ] && [ ! -e ${a}/l ]`, 'and changed')
  const status = (await world.run(['status', a, '--json'])).json() as { mounts?: unknown }
  t.match(JSON.stringify(status), `"server":"${url}/team"`)
  t.match((await world.run(['status', a])).stdout, /server +.*connected, has everything/)
  const wrong = await world.run(['mount', world.path('c'), 'team', '-r', url, '--log-path', world.path('logs-c')], {
    input: 'another',
  })
  t.equal(wrong.code, 12, 'another passphrase')
  for (const machine of [a, b]) {
    const ended = await world.run(['umount', machine])
    t.equal(ended.code, 0, ended.stderr)
    t.notMatch(ended.stdout, 'not at the server')
  }
})

await t.test('both append to one file at the same time', async (t) => {
  const { a, b, mount } = await machines(t)
  await mount('a')
  await mount('b')
  await shell(`touch ${a}/log`)
  await soon(t, `[ -e ${b}/log ]`, 'there')
  const append = (path: string, who: string): string =>
    `(for i in $(seq 60); do echo ${who} $i >> ${path}/log; done) & `
  await shell(`${append(a, 'a')}${append(b, 'b')}wait`)
  await soon(t, `[ $(wc -l < ${a}/log) = 120 ] && cmp -s ${a}/log ${b}/log`, 'all lines')
  t.equal((await shell(`sort -u ${a}/log | wc -l`)).trim(), '120', 'each once')
})

/** What takes a name that nobody has, or a file that both see: `$i` says which, `$who` which machine. */
const TAKERS: Readonly<Record<string, string>> = {
  'open with O_EXCL': 'true > new$i',
  link: 'ln $who-linked name$i',
  'rename that replaces nothing': 'mv -n $who-$i other$i; [ ! -e $who-$i ]',
  'rename of one file': 'mv one$i $who$i',
}

await t.test('of two machines that take one name, or one file, at the same time, one has it', async (t) => {
  const { a, b, mount } = await machines(t)
  await mount('a')
  await mount('b')
  await shell(`cd ${a}; touch a-linked b-linked; for i in $(seq 20); do touch one$i a-$i b-$i; done; touch ready`)
  await soon(t, `[ -e ${b}/ready ]`, 'there')
  for (const [how, taken] of Object.entries(TAKERS)) {
    const take = (mountpoint: string, who: string): Promise<string> =>
      shell(
        `cd ${mountpoint}; who=${who}; set -C; for i in $(seq 20); do if ${taken}; then echo $i; fi; done 2>/dev/null`,
      )
    const won = (await Promise.all([take(a, 'a'), take(b, 'b')])).join('').trim().split('\n')
    t.same(
      won.map(Number).sort((x, y) => x - y),
      Array.from({ length: 20 }, (_, i) => i + 1),
      `${how}: one winner for each`,
    )
  }
})

await t.test(
  'while the server is away, reads go on and changes are refused, or go on with async; nothing is lost',
  LONG,
  async (t) => {
    const { world, a, b, mount, proxy } = await machines(t)
    await mount('a')
    await mount('b', '--recovery-mode', 'async')
    await shell(`echo kept > ${a}/file`)
    await soon(t, `[ "$(cat ${b}/file)" = kept ]`, 'there')
    proxy.part()
    await shell(`echo offline > ${b}/offline; sync ${b}/offline`)
    t.equal(await shell(`cat ${a}/file`), 'kept\n')
    t.match(await shell(`echo x 2>&1 > ${a}/refused || echo refused`).catch(String), /refused|Read-only/)
    t.match((await world.run(['status', b])).stdout, /away.*batches are not there yet/)
    proxy.heal()
    await soon(t, `[ "$(cat ${a}/offline)" = offline ]`, 'brought')
    await shell(`echo again > ${a}/again`)
    await soon(t, `[ "$(cat ${b}/again)" = again ]`, 'and on it goes')
  },
)

await t.test(
  'without its server, a chain that was never here is refused with what to do, and a copy is mounted',
  LONG,
  async (t) => {
    const { world, a, mount, proxy } = await machines(t)
    proxy.part()
    const refused = await mount('a')
    t.not(refused.code, 0)
    proxy.heal()
    await mount('a')
    await shell(`echo kept > ${a}/file`)
    await world.run(['umount', a])
    proxy.part()
    const again = await mount('a')
    t.equal(again.code, 0, again.stderr)
    t.equal(await shell(`cat ${a}/file`), 'kept\n')
  },
)
