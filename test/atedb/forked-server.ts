/** A real server whose directory was set back, as who keeps a copy of its chain sees it: refused by name, with evidence where there is some. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Peer } from '../../src/sync/index.js'
import { AteConfig, checkForkEvidence, Registry } from '../../src/index.js'
import { type AtedbServer, dial, startAtedb } from '../helpers/atedb-server.js'
import { ChaosProxy } from '../helpers/chaos/proxy.js'
import { type CliWorld, cliWorld } from '../helpers/cli.js'
import { Note } from '../helpers/disk-chains.js'

/** A server that is killed, and started again where it was or where it was before. */
class Unreliable {
  readonly #t: Test
  readonly #world: CliWorld
  #server: AtedbServer

  private constructor(t: Test, world: CliWorld, server: AtedbServer) {
    this.#t = t
    this.#world = world
    this.#server = server
  }

  static async start(t: Test, world: CliWorld): Promise<Unreliable> {
    return new Unreliable(t, world, await start(t, world))
  }

  get port(): number {
    return this.#server.port
  }

  get key(): string {
    return this.#server.started.serverKey
  }

  /** The last batch of a chain there. */
  async endOf(chain: string): Promise<number> {
    const peer = new Peer(await dial(this.#server))
    const { sequence } = await peer.request(0, 'open', { chain })
    await peer.close()
    return sequence
  }

  async keep(): Promise<void> {
    await this.#restart(() => cpSync(this.#world.path('served'), this.#world.path('kept'), { recursive: true }))
  }

  async setBack(): Promise<void> {
    await this.#restart(() => {
      rmSync(this.#world.path('served'), { recursive: true })
      cpSync(this.#world.path('kept'), this.#world.path('served'), { recursive: true })
    })
  }

  async #restart(meanwhile: () => void): Promise<void> {
    await this.#server.end('SIGKILL')
    meanwhile()
    this.#server = await start(this.#t, this.#world)
  }
}

const start = (t: Test, world: CliWorld): Promise<AtedbServer> =>
  startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth'], world.path('served'))

async function served(t: Test) {
  const world = cliWorld(t)
  const server = await Unreliable.start(t, world)
  const way = await ChaosProxy.to(() => server.port)
  t.teardown(() => way.close())
  const evidence = (): string[] =>
    readdirSync(world.path('.'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.evidence'))
      .map((name) => world.path(name))
  return { world, server, url: `ws://127.0.0.1:${way.port}/db`, evidence }
}

await t.test('a program whose server was set back, and went on, has evidence that anybody can check', async (t) => {
  const { world, server, url, evidence } = await served(t)
  const registries: Registry[] = []
  const open = async (who: string) => {
    const place = { knownServers: world.path(who, 'known'), logPath: world.path(who, 'chains') }
    const registry = new Registry(AteConfig.default().with({ passphrase: 'secret', ...place }))
    registries.push(registry)
    return await registry.open(url, 'notes')
  }
  const write = async (who: string, text: string): Promise<void> => {
    const { chain } = await open(who)
    await chain.transact((dio) => dio.store({ text }, { type: Note }), { durability: 'server' })
    await registries.pop()?.close()
  }
  await write('one', 'first')
  await server.keep()
  await write('one', 'second')
  await write('one', 'third')
  t.strictSame(evidence(), [], 'a server that was killed is innocent')
  await server.setBack()
  await t.rejects(open('one'), { code: 'CHAIN_ROLLED_BACK' })
  t.strictSame(evidence(), [], 'that it has signed more before proves nothing to others')
  await write('other', 'another second')
  await write('other', 'another third')
  await t.rejects(open('one'), { code: 'CHAIN_FORKED' })
  const [found, ...more] = evidence()
  t.ok(found !== undefined && more.length === 0)
  const bytes = readFileSync(found ?? '')
  const report = checkForkEvidence(bytes)
  t.match(report, { isProven: true, serverKey: server.key })
  t.equal(report.sequences[0], report.sequences[1])
  const last = bytes.length - 1
  bytes.writeUInt8((bytes[last] ?? 0) ^ 1, last)
  t.equal(checkForkEvidence(bytes).isProven, false, 'whoever changes it proves nothing')
  for (const registry of registries) await registry.close()
})

await t.test('so has a mount', async (t) => {
  const { world, server, url, evidence } = await served(t)
  writeFileSync(world.path('passfile'), 'secret')
  const mount = (machine: string, ...flags: string[]) => {
    const place = ['--log-path', world.path(`logs-${machine}`), '--passfile', world.path('passfile')]
    return world.run(['mount', world.path(machine), 'team', '-r', url, ...place, ...flags, '--json'])
  }
  const made = await mount('a')
  t.equal(made.code, 0, made.stderr)
  await world.run(['umount', world.path('a')])
  await server.keep()
  await mount('a')
  // The way to the server is in this process: it must not wait for a mount.
  const write = (machine: string, i: number): Promise<void> =>
    writeFile(join(world.path(machine), `file${i}`), machine, { flush: true })
  for (let i = 0; i < 6; i++) await write('a', i)
  await world.run(['umount', world.path('a')])
  const end = await server.endOf('team')
  await server.setBack()
  // There fsync waits for the server.
  await mount('b', '--recovery-mode', 'sync')
  // Two heads of one sequence are proof: the other history is made just as long.
  const file = await open(join(world.path('b'), 'file'), 'w')
  for (let i = 0; i < 100 && (await server.endOf('team')) < end; i++) {
    await file.write('x')
    await file.sync()
  }
  await file.close()
  const isAsLong = (await server.endOf('team')) === end
  const refused = await mount('a')
  t.match(refused.json(), { error: { code: 'CHAIN_FORKED' } }, refused.stdout)
  const [found] = evidence()
  t.ok(found !== undefined && existsSync(found))
  const report = checkForkEvidence(readFileSync(found ?? ''))
  t.equal(report.serverKey, server.key)
  t.ok(isAsLong, 'both histories have one length')
  t.match(report, { isProven: true, sequences: [end, end] })
  await world.run(['umount', world.path('b')])
})
