/** Wishes for the wire in a configuration: programs that wish differently share a chain, each over what it agreed with the server. */
import t from 'tap'
import { AteConfig, type AteConfigOptions, Registry } from '../../src/index.js'
import { agreements, startAtedb } from '../helpers/atedb-server.js'
import { cliWorld } from '../helpers/cli.js'
import { Note, texts } from '../helpers/disk-chains.js'

t.test('compressed or not, MessagePack or JSON, 128 bits or 256', async (t) => {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth', '-vv'])
  const base = { passphrase: 'secret', knownServers: world.path('known') }
  const wishes: AteConfigOptions[] = [
    {},
    { wireCompression: true },
    { wireFormat: 'json' },
    { wireFormat: 'msgpack', wireCompression: true, wireEncryption: 256 },
    { wireFormat: 'json', wireCompression: true, wireEncryption: 192 },
  ]
  const all: string[] = []
  for (const [i, wish] of wishes.entries()) {
    const config = AteConfig.default().with({ ...base, ...wish, logPath: world.path(`copy${i}`) })
    await using registry = new Registry(config)
    const { chain } = await registry.open(`ws://127.0.0.1:${server.port}/db`, 'notes')
    t.strictSame(await texts(chain), all, 'what the others have written')
    const text = `${i}`.padEnd(20_000, 'long')
    await chain.transact((dio) => dio.store({ text }, { type: Note }), { durability: 'server' })
    all.push(text)
  }
  const agreed = agreements(server).map(({ bits, format, isCompressed }) => ({ bits, format, isCompressed }))
  t.strictSame(agreed, [
    { bits: 128, format: 'msgpack', isCompressed: false },
    { bits: 128, format: 'msgpack', isCompressed: true },
    { bits: 128, format: 'json', isCompressed: false },
    { bits: 256, format: 'msgpack', isCompressed: true },
    { bits: 192, format: 'json', isCompressed: true },
  ])
  const bad = { ...base, wireFormat: 'xml' as 'json' }
  await using registry = new Registry(AteConfig.default().with(bad))
  await t.rejects(registry.open(`ws://127.0.0.1:${server.port}/db`, 'notes'), { code: 'BAD_ARGUMENT' })
})
