/** A mount over TLS, and what its flags say of the wire below it. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { agreements, startAtedb } from '../helpers/atedb-server.js'
import { cliWorld, shell } from '../helpers/cli.js'

const tls = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))

t.test('a mount over wss:// needs a certificate that is trusted, and works with it', async (t) => {
  const world = cliWorld(t)
  const secured = ['--tls-cert', tls('certificate.pem'), '--tls-key', tls('key.pem')]
  const flags = ['-l', '127.0.0.1', '--no-auth', '--no-wire-encryption', '-vv', ...secured]
  const server = await startAtedb(t, world, flags, world.path('served'))
  writeFileSync(world.path('passfile'), 'secret')
  const mount = (machine: string, environment: Record<string, string>, ...wishes: string[]) => {
    const place = ['--log-path', world.path(`logs-${machine}`), '--passfile', world.path('passfile')]
    const words = ['mount', world.path(machine), 'team', '-r', `wss://localhost:${server.port}/db`, ...place, ...wishes]
    return world.run([...words, '--json'], { environment })
  }
  const stranger = await mount('a', {})
  t.not(stranger.code, 0)
  t.match(stranger.json(), { error: { code: 'CONNECTION_FAILED', message: /certificate/ } })
  const trusting = { NODE_EXTRA_CA_CERTS: tls('certificate.pem') }
  const [a, b] = [world.path('a'), world.path('b')]
  const first = await mount('a', trusting, '--wire-encryption', '256', '--wire-compression')
  t.equal(first.code, 0, first.stdout)
  await shell(`echo sealed > ${a}/file; sync ${a}/file`)
  const second = await mount('b', trusting)
  t.equal(second.code, 0, second.stdout)
  t.equal(await shell(`cat ${b}/file`), 'sealed\n')
  t.match(agreements(server), [
    { bits: 256, isCompressed: true },
    { bits: 128, isCompressed: false },
  ])
  for (const machine of [a, b]) t.equal((await world.run(['umount', machine])).code, 0)
})
