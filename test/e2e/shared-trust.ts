/** Two mounts of one chain under both trust modes and every wire setting: the programs themselves. */
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { agreedBits, startAtedb } from '../helpers/atedb-server.js'
import { cliWorld, shell } from '../helpers/cli.js'

const isLong = process.env['ATEFS_TEST_LONG'] !== undefined
const WIRES = [
  ['--no-wire-encryption'],
  ['--wire-encryption', '128'],
  ['--wire-encryption', '192'],
  ['--wire-encryption', '256'],
]
const ALL = (['centralized', 'distributed'] as const).flatMap((trust) => WIRES.map((wire) => ({ trust, wire })))

for (const { trust, wire } of ALL) {
  const skip = !isLong && !(trust === 'distributed' && wire.includes('256')) ? 'one of many' : false
  await t.test(
    `${trust} trust, ${wire.join(' ')}: each sees what the other does, now and later`,
    { skip },
    async (t) => {
      const world = cliWorld(t)
      const server = await startAtedb(
        t,
        world,
        ['-l', '127.0.0.1', '--no-auth', '-vv', '-t', trust, ...wire],
        world.path('served'),
      )
      t.equal(server.started.trust, trust)
      // The longer of both wishes counts, and a mount that says nothing wishes 128 bits.
      const wish = wire.includes('--no-wire-encryption') ? wire : []
      writeFileSync(world.path('passfile'), 'secret')
      const mount = async (machine: string): Promise<void> => {
        const place = ['--log-path', world.path(`logs-${machine}`), '--passfile', world.path('passfile')]
        const url = `ws://127.0.0.1:${server.port}/db`
        const { code, stderr } = await world.run(['mount', world.path(machine), 'team', '-r', url, ...place, ...wish])
        t.equal(code, 0, stderr)
      }
      const [a, b] = [world.path('a'), world.path('b')]
      await mount('a')
      await mount('b')
      await shell(`mkdir ${a}/d; echo one > ${a}/d/new; sync ${a}/d/new`)
      const seen = `for i in $(seq 200); do [ "$(cat ${b}/d/new)" = one ] && exit 0; sleep 0.08; done 2>/dev/null; exit 1`
      await t.resolves(shell(seen), 'seen')
      await shell(`echo two > ${b}/d/other; rm ${b}/d/new`)
      for (const machine of [a, b]) t.equal((await world.run(['umount', machine])).code, 0)
      await mount('a')
      await t.resolves(shell(`[ "$(ls ${a}/d)" = other ] && [ "$(cat ${a}/d/other)" = two ]`), 'and later')
      t.equal((await world.run(['umount', a])).code, 0)
      t.strictSame(new Set(agreedBits(server)), new Set([Number(wire[1] ?? 0)]), 'what the connections agreed')
    },
  )
}
