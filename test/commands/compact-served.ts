/** `atefs db compact URL`: a chain of a server is compacted without mounting it. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AteConfig, ChainBuilder } from '../../src/index.js'
import { startAtedb } from '../helpers/atedb-server.js'
import { cliWorld, shell } from '../helpers/cli.js'
import { Note, texts } from '../helpers/disk-chains.js'
import { eventually } from '../helpers/remote-chains.js'

const OPEN = ['--no-auth', '-l', '127.0.0.1']
const MiB = 1024 * 1024

/** What the first segments below a directory take on the disk: nothing is written to them any more, or reserved. */
function diskBytes(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  const segments = files.filter(({ name }) => name === '0000000001.seg')
  return segments.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).blocks * 512, 0)
}

for (const trust of ['centralized', 'distributed'] as const) {
  t.test(`${trust} trust: objects that are deleted give back their space, while others follow`, async (t) => {
    const world = cliWorld(t)
    const served = world.path('served')
    const server = await startAtedb(t, world, [...OPEN, '--trust', trust], served)
    const url = `ws://127.0.0.1:${server.port}/db/team/notes`
    const known = { knownServers: world.path('known'), passphrase: 'secret', compactMode: 'never' } as const
    const config = AteConfig.default().with({ ...known, logPath: world.path('user') })
    const first = await new ChainBuilder(config).open(url)
    const dead = await first.transact((dio) => dio.store({ text: 'x'.repeat(2 * MiB) }, { type: Note }).key)
    await first.transact((dio) => dio.store({ text: 'kept' }, { type: Note }))
    await first.close()
    const chain = await new ChainBuilder(config).open(url)
    t.teardown(() => chain.close())
    await chain.transact((dio) => dio.delete(dead), { durability: 'server' })
    t.ok(diskBytes(served) >= 2 * MiB)
    const compacted = await world.run(['db', 'compact', url, '--json'], { input: 'secret' })
    t.equal(compacted.code, 0, compacted.stderr + compacted.stdout)
    t.match(compacted.json(), { chain: 'team/notes', deferred: false })
    t.ok(Number(compacted.json()['freedBytes']) > MiB, compacted.stdout)
    const again = await world.run(['db', 'compact', url, '--json'], { input: 'secret' })
    t.match(again.json(), { bodies: 0 }, again.stderr + again.stdout)
    if (trust === 'centralized') await eventually(() => diskBytes(served) < MiB, 10_000)
    else t.ok(diskBytes(served) >= 2 * MiB, 'the server cannot judge it, and keeps it')
    await chain.transact((dio) => dio.store({ text: 'goes on' }, { type: Note }), { durability: 'server' })
    t.strictSame(await texts(chain), ['goes on', 'kept'])
  })

  t.test(
    `${trust} trust: files that are deleted give back their space, at once with --compact-now or later`,
    async (t) => {
      const world = cliWorld(t)
      const served = world.path('served')
      const server = await startAtedb(t, world, [...OPEN, '--trust', trust], served)
      const at = `ws://127.0.0.1:${server.port}/db`
      const run = (...words: string[]) => world.run(words, { input: 'secret' })
      const place = world.path('files')
      const mount = async (...flags: string[]): Promise<void> => {
        const { code, stderr } = await run('mount', place, 'files', '-r', at, '--compact-mode', 'never', ...flags)
        t.equal(code, 0, stderr)
      }
      const unmount = async (): Promise<void> => void t.equal((await run('umount', place)).code, 0)
      const copies = world.path('data')
      await mount()
      for (const name of ['one', 'two']) await shell(`head -c 2M /dev/urandom > ${place}/${name}`)
      await shell(`echo kept > ${place}/kept; sync -f ${place}`)
      await unmount()
      await mount()
      await shell(`rm ${place}/one; sync -f ${place}`)
      const locked = await run('db', 'compact', `${at}/files`, '--json')
      t.equal(locked.code, 11)
      t.match(locked.json(), { error: { code: 'CHAIN_LOCKED', hint: /--compact-now/ } })
      await unmount()
      const before = diskBytes(copies)
      for (const bytes of [before, diskBytes(served)]) t.ok(bytes >= 4 * MiB, `${bytes} bytes before`)
      const compacted = await run('db', 'compact', `${at}/files`, '--json')
      t.equal(compacted.code, 0, compacted.stderr + compacted.stdout)
      t.ok(Number(compacted.json()['freedBytes']) > MiB, compacted.stdout)
      t.ok(diskBytes(copies) < before - MiB, `${before} bytes here before, ${diskBytes(copies)} now`)
      if (trust === 'centralized') await eventually(() => diskBytes(served) < 3 * MiB, 10_000)
      await mount()
      await shell(`rm ${place}/two; sync -f ${place}`)
      await unmount()
      const half = diskBytes(copies)
      await mount('--compact-now')
      await eventually(() => diskBytes(copies) < half - MiB, 10_000)
      await shell(`[ "$(ls ${place})" = kept ] && [ "$(cat ${place}/kept)" = kept ]`)
      await unmount()
      const dumped = await run('dump', `${at}/files`, '--log-path', world.path('elsewhere'))
      t.match(dumped.stdout, 'kept', dumped.stderr)
      const logs = join(copies, 'atefs', `127.0.0.1:${server.port}`)
      const checked = await run('fsck', 'db%2Ffiles', '--log-path', logs, '--json')
      t.match(checked.json(), { findings: [], refused: [] }, checked.stderr)
    },
  )
}
