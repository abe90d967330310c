/** What a terminal shows while a mount loads what the server has, and that nothing of it stays. */
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startAtedb } from '../helpers/atedb-server.js'
import { ChaosProxy } from '../helpers/chaos/proxy.js'
import { BIN, cliWorld, shell } from '../helpers/cli.js'
import { eventually } from '../helpers/remote-chains.js'
import { onTerminal } from '../helpers/terminal.js'

t.test('a mount that loads for a while shows how far it is', async (t) => {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth'], world.path('served'))
  const way = await ChaosProxy.to(() => server.port)
  t.teardown(() => way.close())
  writeFileSync(world.path('passfile'), 'secret')
  const words = (machine: string, port: number): string[] => {
    const place = ['--log-path', world.path(`logs-${machine}`), '--passfile', world.path('passfile')]
    return ['mount', world.path(machine), 'team', '-r', `ws://127.0.0.1:${port}/db`, ...place]
  }
  t.equal((await world.run(words('a', server.port))).code, 0)
  await shell(`cd ${world.path('a')}; for i in 1 2 3 4; do head -c 1000000 /dev/urandom > f$i; sync f$i; done`)
  t.equal((await world.run(['umount', world.path('a')])).code, 0)
  way.stall()
  const line = [process.execPath, BIN, ...words('b', way.port)].join(' ')
  const mounting = onTerminal(line, world.environment, [])
  await eventually(() => way.connections > 0, 30_000)
  // Longer than what stays silent, shorter than what a server that is away is given.
  await sleep(1500)
  way.heal()
  const { code, shown } = await mounting
  t.equal(code, 0, shown)
  t.match(shown, /loading: \d+ %/)
  t.match(shown.split('\r').at(-2) ?? '', /^\x1b\[K|^[^%]*$/, 'and nothing of it stays')
  t.equal((await world.run(['umount', world.path('b')])).code, 0)
})
