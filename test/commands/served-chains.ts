/** Commands that take the URL of a chain at a server in the place of a name, and those that say why they do not. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { openWith } from '../../src/cli/open-for-command.js'
import { mountServed, servedPlace } from '../../src/cli/open-served.js'
import { errorCode } from '../../src/engine/error.js'
import { listSlots, openKeyring } from '../../src/engine/keyring/keyring.js'
import { AteConfig, Registry } from '../../src/index.js'
import { startAtedb } from '../helpers/atedb-server.js'
import { cliWorld, type CliWorld, shell } from '../helpers/cli.js'
import { Note, texts } from '../helpers/disk-chains.js'
import { eventually } from '../helpers/remote-chains.js'

const OPEN = ['--no-auth', '-l', '127.0.0.1']

function registryIn(t: Test, world: CliWorld, place: string, passphrase = 'secret'): Registry {
  const known = world.path(place, 'known')
  const config = AteConfig.default().with({ passphrase, knownServers: known, logPath: world.path(place, 'chains') })
  const registry = new Registry(config)
  t.teardown(() => registry.close())
  return registry
}

/** A server with a chain of one note, which somebody has open. */
async function served(t: Test, trust: 'centralized' | 'distributed' = 'centralized') {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, [...OPEN, '--trust', trust])
  const url = `ws://127.0.0.1:${server.port}/db/team/notes`
  const { chain } = await registryIn(t, world, 'user').open(url)
  const store = async (text: string): Promise<void> => {
    await chain.transact((dio) => dio.store({ text }, { type: Note }), { durability: 'server' })
  }
  await store('first')
  return { world, url, chain, store, run: (...words: string[]) => world.run(words, { input: 'secret' }) }
}

for (const trust of ['centralized', 'distributed'] as const)
  t.test(`a chain at a server of ${trust} trust is dumped`, async (t) => {
    const { url, run, store } = await served(t, trust)
    const dumped = await run('dump', url, '--batches', '--json')
    t.equal(dumped.code, 0, dumped.stderr + dumped.stdout)
    t.match(dumped.json(), {
      chain: 'team/notes',
      holds: 'objects',
      objects: [{ version: 1 }],
      batches: [{ sequence: 1 }],
    })
    await store('second')
    const again = await run('dump', url, '--json')
    t.match(again.json()['objects'], { length: 2 }, `the copy is brought up to date: ${again.stdout}`)
    t.match((await run('dump', `${url}s`, '--json')).json(), { error: { code: 'CHAIN_NOT_FOUND' } })
  })

t.test('the chains of a server are listed, and one is described', async (t) => {
  const { url, run, store } = await served(t)
  await store('second')
  const listed = await run('db', 'list', url.replace('/team/notes', ''), '--json')
  t.equal(listed.code, 0, listed.stderr + listed.stdout)
  t.match(listed.json()['chains'], [{ chain: 'team/notes', sequence: 2 }])
  const details = await run('db', 'details', url, '--json')
  t.match(details.json(), {
    chain: 'team/notes',
    url,
    suite: 'aes-256-gcm',
    trust: 'centralized',
    opensWith: 'passphrase',
    headSequence: 2,
    headDigest: /^[0-9a-f]{64}$/,
  })
  t.match((await run('db', 'details', `${url}s`, '--json')).json(), { error: { code: 'CHAIN_NOT_FOUND' } })
})

t.test('a chain at a server is backed up, the next time only what is new', async (t) => {
  const { world, url, run, store } = await served(t)
  const first = await run('db', 'backup', url, world.path('backup'), '--json')
  t.equal(first.code, 0, first.stderr + first.stdout)
  await store('second')
  const second = (await run('db', 'backup', url, world.path('backup'), '--json')).json()
  t.match(second, { chain: 'team/notes' })
  t.ok(Number(second['copiedBytes']) < Number(second['bytes']))
  const restored = await run('db', 'restore', world.path('backup'), 'mine', '--json')
  t.equal(restored.code, 0, restored.stderr + restored.stdout)
  t.match((await run('dump', 'mine', '--json')).json()['objects'], { length: 2 })
})

t.test('a chain that is mounted is dumped and backed up from a copy of its own', async (t) => {
  const world = cliWorld(t)
  const server = await startAtedb(t, world, OPEN)
  const run = (...words: string[]) => world.run(words, { input: 'secret' })
  const at = `ws://127.0.0.1:${server.port}/db`
  const mounted = await run('mount', world.path('team'), 'files', '-r', at)
  t.match(mounted.stderr, `Created a new, empty chain at ${at}/files`)
  await shell(`echo text > '${world.path('team/file')}'; sync -f '${world.path('team')}'`)
  await eventually(async () => {
    const dumped = await run('dump', `${at}/files`)
    t.equal(dumped.code, 0, dumped.stderr)
    return dumped.stdout.includes('file')
  })
  const backedUp = await run('db', 'backup', `${at}/files`, world.path('backup'))
  t.equal(backedUp.code, 0, backedUp.stderr)
  const left = readdirSync(world.directory).filter((name) => name.startsWith('atefs-temporary'))
  t.same(left, [], 'nothing is left of the copies')
  t.equal((await run('umount', world.path('team'))).code, 0)
  t.notMatch((await run('mount', world.path('team'), 'files', '-r', at)).stderr, 'Created')
  t.equal((await run('umount', world.path('team'))).code, 0)
})

t.test('passphrases are changed at the server, and in the copies that are open', async (t) => {
  const { world, url, run, chain } = await served(t)
  const copy = join(world.path('user/chains'), readdirSync(world.path('user/chains'))[0] ?? '', 'db%2Fteam%2Fnotes')
  writeFileSync(world.path('new'), 'other')
  const change = ['--new-passfile', world.path('new'), '--json']
  t.equal((await world.run(['passwd', url, ...change], { input: 'wrong' })).code, 12)
  const changed = await run('passwd', url, ...change)
  t.equal(changed.code, 0, changed.stderr + changed.stdout)
  t.match(changed.json()['slots'], { length: 1 })
  await eventually(async () => await opens(join(copy, 'keyring'), 'other'))
  t.notOk(await opens(join(copy, 'keyring'), 'secret'))
  await t.rejects(registryIn(t, world, 'late').open(url), { code: 'WRONG_PASSPHRASE' })
  const { chain: late } = await registryIn(t, world, 'late', 'other').open(url)
  t.strictSame(await texts(late), ['first'])
  const added = await world.run(['passwd', url, '--add', '--label', 'second', ...change], { input: 'other' })
  t.match(added.json()['slots'], [{ label: 'first' }, { label: 'second' }])
  t.match((await run('passwd', url, '--list')).stdout, /second/)
  await chain.transact((dio) => dio.store({ text: 'the turn was given back' }, { type: Note }), {
    durability: 'server',
  })
  const words = ['passwd', 'db%2Fteam%2Fnotes', '--log-path', join(copy, '..'), ...change]
  t.match((await world.run(words, { input: 'other' })).json(), { error: { code: 'NOT_SUPPORTED', hint: /passwd ws:/ } })
})

t.test('what changes a chain as a whole is refused, and says what to type', async (t) => {
  const world = cliWorld(t)
  const url = 'ws://127.0.0.1:1/db/notes'
  for (const words of [
    ['truncate', url, '--yes'],
    ['restore', world.path('backup'), url],
  ]) {
    const refused = (await world.run(['db', ...words, '--json'])).json()
    t.match(refused, { error: { code: 'NOT_SUPPORTED', hint: /atefs mount MOUNTPOINT --remote URL/ } }, words.join(' '))
  }
})

async function opens(path: string, passphrase: string): Promise<boolean> {
  const keyring = readFileSync(path)
  t.ok(listSlots(keyring).length > 0)
  try {
    await openKeyring(nativeCrypto, keyring, Buffer.from(passphrase))
    return true
  } catch (error) {
    if (errorCode(error) === 'WRONG_PASSPHRASE') return false
    throw error
  }
}

t.test('what was fetched without judging it is not relied on when that is killed', async (t) => {
  const { world, url } = await served(t, 'distributed')
  Object.assign(process.env, world.environment, { NODE_OPTIONS: '' })
  writeFileSync(world.path('passfile'), 'secret')
  const place = await servedPlace(url, { passfile: world.path('passfile'), 'log-path': world.path('mine') })
  const notices: string[] = []
  const opening = { readOnly: false, onProgress: () => undefined, onNotice: (message: string) => notices.push(message) }
  const mount = await mountServed(place, opening, { onlyFetches: true })
  await mount.close()
  // Here it would have removed the index.
  const { directory, secret } = place
  const handle = await openWith(secret, { directory, anchorDirectory: undefined }, opening)
  t.equal(handle.status().headSequence, 1)
  t.match(notices.join(), /The index could not be opened and is rebuilt/)
  await handle.close()
})
