/** Mounts of a chain whose server is named, by a DNS server that was given: looked up there, and validated where that is wanted. */
import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { startAtedb } from '../helpers/atedb-server.js'
import { cliWorld } from '../helpers/cli.js'
import { a, dnsServer, txt } from '../helpers/dns-server.js'

const HOST = 'db.example.org'

await t.test('atefs mount asks the DNS server that was given, for addresses and for the key', async (t) => {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth'], world.path('served'))
  const records = {
    [HOST]: [a(HOST, '127.0.0.1')],
    [`_atefs.${HOST}`]: [txt(`_atefs.${HOST}`, `atefs1 key=${'0'.repeat(64)}`)],
  }
  const dns = await dnsServer(t, { records, isValidated: false })
  await writeFile(world.path('passfile'), 'secret')
  const mount = (...flags: string[]) => {
    const place = ['--log-path', world.path('logs'), '--passfile', world.path('passfile'), '--dns-server', dns.address]
    return world.run([
      'mount',
      world.path('m'),
      'team',
      '-r',
      `ws://${HOST}:${server.port}/db`,
      ...place,
      ...flags,
      '--json',
    ])
  }
  const unvalidated = await mount('--dns-sec')
  t.not(unvalidated.code, 0)
  t.match(unvalidated.stdout, /validat/i, 'what was not validated is not believed')
  dns.zone.isValidated = true
  t.match((await mount('--dns-sec')).json(), { error: { code: 'SERVER_KEY_CHANGED' } }, 'another key than DNS says')
  records[`_atefs.${HOST}`] = [txt(`_atefs.${HOST}`, `atefs1 key=${server.started.serverKey}`)]
  const mounted = await mount('--dns-sec')
  t.equal(mounted.code, 0, mounted.stdout)
  t.ok(dns.asked.includes(`A ${HOST}`))
  t.ok(dns.asked.includes(`TXT _atefs.${HOST}`))
  await writeFile(`${world.path('m')}/file`, 'found', { flush: true })
  t.match((await world.run(['umount', world.path('m')])).stdout, /everything/)
})
