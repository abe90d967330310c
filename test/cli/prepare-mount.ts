/** What `mount` refuses, and in which order it looks: everything before a passphrase is asked for. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { encodeClientState } from '../../src/client/client-state.js'
import { prepareMount, type MountFlags, type PreparedMount } from '../../src/cli/prepare-mount.js'

const NO_FLAGS: MountFlags = {
  'no-auth': false,
  'no-create': false,
  temp: false,
  'read-only': false,
  'non-empty': false,
  driver: 'auto',
  'allow-damage': false,
  'accept-rollback': false,
}

interface World {
  path: (...names: string[]) => string
  prepare: (mountpoint: string, chain?: string, flags?: Partial<MountFlags>) => Promise<PreparedMount>
  notices: string[]
}

/** XDG directories below a temporary one, for this process; standard input must never be needed. */
function world(t: Test): World {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-prepare-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const path = (...names: string[]): string => join(directory, ...names)
  process.env['XDG_DATA_HOME'] = path('data')
  process.env['XDG_STATE_HOME'] = path('state')
  delete process.env['XDG_RUNTIME_DIR']
  const notices: string[] = []
  return {
    path,
    notices,
    prepare: (mountpoint, chain, flags) =>
      prepareMount(mountpoint, chain, { ...NO_FLAGS, ...flags }, (text) => notices.push(text)),
  }
}

function makeChain(directory: string, ...names: string[]): void {
  mkdirSync(directory, { recursive: true })
  for (const name of ['manifest', '0000000001.seg', ...names]) writeFileSync(join(directory, name), '')
}

t.test('the name of the chain and its place follow from the mountpoint', async (t) => {
  const { path, prepare } = world(t)
  const { request, secret } = await prepare(`${path('vault')}/`, undefined, { 'no-auth': true })
  t.match(request, { chain: 'vault', directory: path('data/atefs/vault'), mountpoint: path('vault'), create: true })
  t.same(secret, { kind: 'key-file' })
  t.equal(request.driverOptions.fsName, path('data/atefs/vault'))
  t.ok(existsSync(path('vault')), 'the mountpoint is made')
  t.same(readdirSync(path('data/atefs/vault')), [], 'and an empty place for the chain')
  const named = await prepare(path('vault'), 'photos', { 'no-auth': true, 'log-path': path('log') })
  t.equal(named.request.directory, path('log/photos'))
})

t.test('what is wrong with the command line has its code', async (t) => {
  const { path, prepare } = world(t)
  const refused: [string | undefined, Partial<MountFlags>, string][] = [
    ['a/b', {}, 'BAD_ARGUMENT'],
    ['..', {}, 'BAD_ARGUMENT'],
    ['', {}, 'BAD_ARGUMENT'],
    ['c', { option: ['ro,bogus'] }, 'BAD_OPTION'],
    ['c', { 'compact-threshold-factor': '0' }, 'BAD_ARGUMENT'],
    ['c', { 'compact-threshold-factor': '-1' }, 'BAD_ARGUMENT'],
    ['c', { 'compact-threshold-factor': 'half' }, 'BAD_ARGUMENT'],
    ['c', { 'no-create': true }, 'CHAIN_NOT_FOUND'],
    ['c', { 'read-only': true }, 'CHAIN_NOT_FOUND'],
    ['c', { option: ['ro'] }, 'CHAIN_NOT_FOUND'],
    ['c', { 'allow-damage': true }, 'CHAIN_NOT_FOUND'],
    ['c', { passfile: path('none') }, 'NO_PASSPHRASE'],
  ]
  for (const [chain, flags, code] of refused) {
    await t.rejects(prepare(path('m'), chain, flags), { code }, JSON.stringify([chain, flags]))
  }
})

t.test('mountpoints that cannot be used are refused', async (t) => {
  const { path, prepare } = world(t)
  writeFileSync(path('file'), '')
  mkdirSync(path('full'))
  writeFileSync(path('full', 'kept'), '')
  const refused: [string, string, RegExp][] = [
    [path('file'), 'MOUNTPOINT_UNUSABLE', /not a directory/],
    [path('file', 'below'), 'MOUNTPOINT_UNUSABLE', /ENOTDIR/],
    [path('full'), 'MOUNTPOINT_NOT_EMPTY', /not empty/],
    ['/proc/self/nothing', 'MOUNTPOINT_UNUSABLE', /cannot be made/],
  ]
  for (const [mountpoint, code, message] of refused) {
    await t.rejects(prepare(mountpoint, 'c', { 'no-auth': true }), { code, message }, mountpoint)
  }
  await t.resolves(prepare(path('full'), 'c', { 'no-auth': true, 'non-empty': true }))
  await t.resolves(prepare(path('a/b/c'), 'c', { 'no-auth': true }), 'parents are made')
})

t.test('nothing the daemon needs may lie inside the mountpoint', async (t) => {
  const { path, prepare } = world(t)
  mkdirSync(path('m'))
  const inside = { code: 'BAD_ARGUMENT', message: /inside/ }
  await t.rejects(prepare(path('m'), 'c', { 'no-auth': true, 'log-path': path('m/log') }), inside)
  await t.rejects(prepare(path('data'), 'c', { 'no-auth': true }), inside, 'the default log path')
  await t.rejects(prepare(path('state'), 'c', { 'no-auth': true }), inside, 'the anchors')
  await t.rejects(prepare(path('c'), 'c', { 'no-auth': true, 'log-path': path() }), inside, 'the chain itself')
  await t.rejects(prepare(path('log/c/m'), 'c', { 'no-auth': true, 'log-path': path('log') }), inside, 'the reverse')
})

t.test('a directory of something else is not taken for a chain', async (t) => {
  const { path, prepare } = world(t)
  mkdirSync(path('log', 'photos'), { recursive: true })
  writeFileSync(path('log', 'photos', 'cat.jpg'), '')
  writeFileSync(path('log', 'note'), '')
  for (const chain of ['photos', 'note']) {
    const flags = { 'no-auth': true, 'log-path': path('log') }
    await t.rejects(prepare(path('m'), chain, flags), { code: 'NOT_A_CHAIN' }, chain)
  }
  t.same(readdirSync(path('log', 'photos')), ['cat.jpg'])
})

t.test('what an interrupted creation left is no chain yet', async (t) => {
  const { path, prepare } = world(t)
  mkdirSync(path('log', 'c'), { recursive: true })
  for (const name of ['lock', 'keyring']) writeFileSync(path('log', 'c', name), '')
  const { request } = await prepare(path('m'), 'c', { 'no-auth': true, 'log-path': path('log') })
  t.equal(request.create, true)
})

t.test('the files of a chain tell how it is opened', async (t) => {
  const { path, prepare, notices } = world(t)
  const flags = { 'log-path': path('log') }
  makeChain(path('log', 'open'), 'key')
  t.same((await prepare(path('m'), 'open', flags)).secret, { kind: 'key-file' })
  t.match(notices, [/no passphrase.*can read everything/])
  makeChain(path('log', 'closed'), 'keyring')
  await t.rejects(prepare(path('m'), 'closed', { ...flags, 'no-auth': true }), { code: 'BAD_ARGUMENT' })
  writeFileSync(path('passfile'), 'secret\n')
  const { secret, request } = await prepare(path('m'), 'closed', { ...flags, passfile: path('passfile') })
  t.same(secret, { kind: 'passphrase', passphrase: Buffer.from('secret') })
  t.equal(request.create, false)
})

t.test('a mount compacts as it grows and by the hour, or as its flags say', async (t) => {
  const { path, prepare } = world(t)
  const planOf = async (flags: Partial<MountFlags>) => {
    const prepared = await prepare(path('m'), undefined, { temp: true, 'log-path': path(), ...flags })
    return prepared.request.compaction
  }
  t.match(await planOf({}), { own: {}, isNow: false })
  t.equal(await planOf({ 'compact-timer': 5, 'compact-mode': 'never' }), undefined)
  t.match(await planOf({ 'compact-now': true, 'compact-mode': 'never' }), { own: { mode: 'never' }, isNow: true })
  t.same(
    await planOf({
      'compact-mode': 'growth-or-timer',
      'compact-timer': 5,
      'compact-threshold-factor': '1.5',
      'compact-threshold-size': 7,
    }),
    { own: { mode: 'growth-or-timer', timerMs: 5000, factor: 1.5, sizeBytes: 7 }, isNow: false },
  )
  t.same(await planOf({ 'compact-mode': 'timer' }), { own: { mode: 'timer' }, isNow: false })
})

t.test('a temporary chain gets a private directory of its own', async (t) => {
  const { path, prepare } = world(t)
  const flags = { temp: true, 'log-path': path() }
  const { request, secret } = await prepare(path('m'), undefined, flags)
  t.same(secret, { kind: 'temporary' })
  t.equal(request.directory, join(request.temporaryDirectory ?? '', 'm'))
  t.equal(request.anchorDirectory, undefined)
  t.ok(existsSync(request.temporaryDirectory ?? ''))
  await t.rejects(prepare(path('m'), 'c', { ...flags, 'log-path': path('none') }), { code: 'ACCESS_DENIED' })
})

t.test('what is refused leaves no directory that was made for it, and none of others is touched', async (t) => {
  const { path, prepare } = world(t)
  mkdirSync(path('mine'))
  const flags = { 'no-create': true }
  await t.rejects(prepare(path('a/b/c'), 'c', flags), { code: 'CHAIN_NOT_FOUND' })
  t.notOk(existsSync(path('a')))
  await t.rejects(prepare(path('mine/m'), 'c', flags), { code: 'CHAIN_NOT_FOUND' })
  await t.rejects(prepare(path('mine'), 'c', flags), { code: 'CHAIN_NOT_FOUND' })
  t.same(readdirSync(path('mine')), [])
  const later = await prepare(path('d/e/f'), 'c', { 'no-auth': true })
  writeFileSync(path('d/kept'), '')
  later.undo()
  t.same(readdirSync(path('d')), ['kept'], 'the empty ones only')
})

t.test('the copy of a chain that a server keeps is mounted for reading only, and told how otherwise', async (t) => {
  const { path, prepare } = world(t)
  const url = 'ws://server:5000/db/vault'
  const server = { sequence: 0, digest: new Uint8Array(32) }
  const state = { url, session: new Uint8Array(16), term: 0, server, head: null, signer: null, freed: 0 }
  makeChain(path('data/atefs/vault'), 'key')
  for (const [bytes, hint] of [
    [encodeClientState(state), `--remote ${url}`],
    [new Uint8Array(3), '--remote URL'],
  ] as const) {
    writeFileSync(path('data/atefs/vault/remote'), bytes)
    await t.rejects(prepare(path('m'), 'vault'), { code: 'NOT_SUPPORTED', hint: new RegExp(hint) })
  }
  t.notOk(existsSync(path('m')), 'and no mountpoint is left')
  t.equal((await prepare(path('m'), 'vault', { 'read-only': true })).request.readOnly, true)
})
