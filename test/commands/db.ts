/** `atefs db` through the program. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  AteConfig,
  AteSession,
  ChainBuilder,
  dataType,
  generateWriteKey,
  plain,
  vecOf,
  writeBy,
} from '../../src/index.js'
import { BIN, cliWorld, type CliResult, type CliWorld, shell } from '../helpers/cli.js'
import { onTerminal } from '../helpers/terminal.js'

const Leaf = dataType('Leaf', plain<{ text: string }>())
const Branch = dataType('Branch', plain<{ name: string }>(), { links: { leaves: vecOf(Leaf) } })
const KEYLESS = '--no-auth'

interface Db {
  world: CliWorld
  logs: string
  config: AteConfig
  db: (...args: string[]) => Promise<CliResult>
}

function setUp(t: Test): Db {
  const world = cliWorld(t)
  const logs = world.path('chains')
  const config = AteConfig.default().with({ logPath: logs, anchorPath: world.path('state/atefs/anchors') })
  return { world, logs, config, db: (...args) => world.run(['db', ...args, '--log-path', logs]) }
}

/** A chain of files of some megabytes. */
async function makeFiles({ world, logs }: Db): Promise<void> {
  const vault = world.path('vault')
  const mounted = await world.run(['mount', vault, '--log-path', logs, KEYLESS])
  if (mounted.code !== 0) throw new Error(mounted.stderr)
  await shell(
    `cd ${vault}; mkdir -p d/e/f; head -c 3000000 /dev/urandom > d/large; echo small > d/e/small; ln -s x d/e/f/l`,
  )
  await world.run(['umount', vault])
}

async function makeObjects({ config }: Db, name: string, count: number): Promise<void> {
  const chain = await new ChainBuilder(config).open(name)
  await chain.transact((dio) => {
    for (let i = 0; i < 3; i++) {
      const branch = dio.store({ name: `branch ${i}` }, { type: Branch })
      for (let j = 0; j < count; j++) branch.leaves.push({ text: 'x'.repeat(2000) })
    }
  })
  await chain.close()
}

t.test('list and details tell what can be known without a passphrase, mounted or not', async (t) => {
  const set = setUp(t)
  const { world, logs, db } = set
  t.equal((await db('list')).code, 6, 'there is no such directory')
  await makeFiles(set)
  await makeObjects(set, 'trees', 2)
  await shell(
    `mkdir ${logs}/other; echo 1 > ${logs}/other/file; mkdir ${logs}/broken; echo 1 > ${logs}/broken/manifest`,
  )
  const listed = await db('list', '--json')
  t.equal(listed.code, 0, listed.stderr)
  t.match(listed.json()['chains'], [
    { chain: 'broken', error: { code: 'BAD_FORMAT' } },
    { chain: 'trees', opensWith: 'key-file', trust: 'local', headSequence: 1 },
    { chain: 'vault', suite: 'aes-256-gcm', segments: Number, logBytes: Number, diskBytes: Number },
  ])

  const vault = world.path('vault')
  const { pid } = (await world.run(['mount', vault, '--log-path', logs, KEYLESS, '--json'])).json()
  const details = await db('details', 'vault', '--json')
  t.match(details.json(), {
    chain: 'vault',
    directory: `${logs}/vault`,
    mountpoint: vault,
    pid,
    chainId: /^[0-9a-f]{32}$/,
  })
  await world.run(['umount', vault])
  t.notOk('pid' in (await db('details', 'vault', '--json')).json())

  const remote = await db('truncate', 'ws://server/db/x', '--json')
  t.match(remote.json(), { error: { code: 'NOT_SUPPORTED' } })
})

t.test('truncate deletes all files, and gives their space back', async (t) => {
  const set = setUp(t)
  const { world, logs, db } = set
  await makeFiles(set)
  const refused = await db('truncate', 'vault')
  t.equal(refused.code, 2, 'nobody can be asked')
  t.match(refused.stderr, '--yes')
  const emptied = await db('truncate', 'vault', '--yes', '--json')
  t.equal(emptied.code, 0, emptied.stdout)
  t.match(emptied.json(), { chain: 'vault', deleted: 6 })
  t.ok(Number(emptied.json()['freedBytes']) > 2_900_000, 'the large file is off the disk')
  t.equal((await world.run(['fsck', 'vault', '--log-path', logs])).code, 0)
  const vault = world.path('vault')
  await world.run(['mount', vault, '--log-path', logs, KEYLESS])
  t.equal(await shell(`ls -A ${vault}; echo new > ${vault}/new; cat ${vault}/new`), 'new\n')
  t.equal((await db('truncate', 'vault', '--yes')).code, 11, 'not while it is mounted')
})

t.test('truncate deletes all objects, but for those that need a key', async (t) => {
  const set = setUp(t)
  const { config, db, world, logs } = set
  await makeObjects(set, 'trees', 200)
  const emptied = await db('truncate', 'trees', '--yes', '--json')
  t.match(emptied.json(), { deleted: 603 })
  t.ok(Number(emptied.json()['freedBytes']) > 1_000_000)
  t.equal((await world.run(['fsck', 'trees', '--log-path', logs])).code, 0)

  const key = generateWriteKey()
  const chain = await new ChainBuilder(config).open('ruled')
  await chain.transact(
    (dio) => {
      dio.store({ text: 'free' }, { type: Leaf })
      const kept = dio.store({ name: 'kept' }, { type: Branch })
      dio.protect(kept, { write: writeBy.only(key) })
    },
    { session: new AteSession({ writeKeys: [key] }) },
  )
  await chain.close()
  const kept = await db('truncate', 'ruled', '--yes', '--json')
  t.equal(kept.code, 1, kept.stdout)
  t.match(kept.json(), { error: { code: 'NOT_AUTHORIZED', message: /^1 objects are deleted; 1 need/ } })
})

t.test('truncate asks on a terminal, and does nothing without a yes', async (t) => {
  const set = setUp(t)
  const { world, logs } = set
  await makeObjects(set, 'trees', 1)
  const line = `"${process.execPath}" "${BIN}" db truncate trees --log-path "${logs}"`
  t.match(await onTerminal(line, world.environment, ['y\r']), { code: 2, shown: /nothing was done/ })
  t.equal((await onTerminal(line, world.environment, ['\x03'])).code, 130)
  t.match(await onTerminal(line, world.environment, ['yes\r']), { code: 0, shown: /trees is empty: 6 deleted/ })
})

t.test('compact tells what the log took before and takes now', async (t) => {
  const set = setUp(t)
  const { world, logs, db, config } = set
  await makeFiles(set)
  const vault = world.path('vault')
  await world.run(['mount', vault, '--log-path', logs, KEYLESS, '--compact-mode', 'never'])
  t.equal((await db('compact', 'vault')).code, 11)
  await shell(`rm ${vault}/d/large`)
  await world.run(['umount', vault])
  const compacted = await db('compact', 'vault', '--json')
  t.equal(compacted.code, 0, compacted.stderr)
  const { diskBytesBefore, diskBytesAfter } = compacted.json()
  t.ok(Number(diskBytesBefore) - Number(diskBytesAfter) > 2_900_000)

  await makeObjects(set, 'trees', 100)
  const chain = await new ChainBuilder(config.with({ compactMode: 'never' })).open('trees')
  await chain.transact((dio) => dio.deleteRoots())
  await chain.close()
  t.match((await db('compact', 'trees')).stdout, /^trees: [1-9]\d* bodies dropped, .* before, .* now\)$/m)
})

t.test('a backup is made, continued, and restored; never an older one over a newer chain', async (t) => {
  const set = setUp(t)
  const { world, logs, db } = set
  await makeFiles(set)
  const copy = world.path('backup')
  t.match(await db('backup', 'vault', copy), { code: 2, stderr: /--without-key/ }, 'what of the key?')
  t.match((await db('backup', 'vault', copy, '--with-key', '--json')).json(), { chain: 'vault', sequence: Number })
  const vault = world.path('vault')
  await world.run(['mount', vault, '--log-path', logs, KEYLESS])
  t.equal((await db('backup', 'vault', copy, '--with-key')).code, 11)
  await shell(`echo later > ${vault}/later`)
  await world.run(['umount', vault])

  t.match(await db('restore', copy, 'vault'), { code: 26, stderr: /5 batches, the backup 3/ })
  t.equal(await db('restore', copy, 'vault', '--force').then(({ code }) => code), 26, 'this machine knows of more')
  const more = await db('backup', 'vault', copy, '--with-key', '--json')
  t.ok(Number(more.json()['copiedBytes']) < 1_000_000, 'what is new')

  t.match(await db('restore', copy, 'vault'), { code: 6, stderr: /There is a chain already/ })
  const restored = await db('restore', copy, 'again', '--json')
  t.equal(restored.code, 0, restored.stdout)
  await world.run(['mount', world.path('m'), 'again', '--log-path', logs, KEYLESS])
  t.equal(await shell(`cat ${world.path('m')}/later`), 'later\n')
  await world.run(['umount', world.path('m')])
  const forced = await db('restore', copy, 'vault', '--force', '--accept-rollback', '--json')
  t.equal(forced.code, 0, forced.stdout)
  t.ok(existsSync(String(forced.json()['keptAside'])))
})

t.test('a backup with a passphrase is restored with it', async (t) => {
  const { world, logs } = setUp(t)
  const vault = world.path('vault')
  const words = world.path('words')
  writeFileSync(words, 'horse\n')
  const flags = ['--log-path', logs, '--passfile', words]
  t.equal((await world.run(['mount', vault, ...flags])).code, 0)
  await shell(`echo kept > ${vault}/file`)
  await world.run(['umount', vault])
  const copy = world.path('backup')
  t.equal((await world.run(['db', 'backup', 'vault', copy, ...flags])).code, 0)
  t.notOk(readdirSync(copy).includes('key'))
  writeFileSync(world.path('wrong'), 'hors\n')
  const wrong = ['--log-path', logs, '--passfile', world.path('wrong')]
  t.equal((await world.run(['db', 'restore', copy, 'again', ...wrong])).code, 12)
  t.notOk(existsSync(`${logs}/again`))
  t.equal((await world.run(['db', 'restore', copy, 'again', ...flags])).code, 0)
  t.match((await world.run(['dump', 'again', ...flags])).stdout, /^ {2}file {2}0644/m)
})
