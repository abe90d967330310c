/** Chains of a server in the library: opened by their address, shared by programs, and closed so that those can end. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AteConfig, dataType, foreign, plain, Registry } from '../../src/index.js'
import { Note, texts } from '../helpers/disk-chains.js'
import { eventually } from '../helpers/remote-chains.js'
import { a, dnsServer } from '../helpers/dns-server.js'
import { webRelay } from '../helpers/web-relay.js'

function configs(t: Test): { one: AteConfig; other: AteConfig; root: string } {
  const root = mkdtempSync(join(tmpdir(), 'atefs-remote-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const base = AteConfig.default().with({ passphrase: 'secret', knownServers: join(root, 'known') })
  return { root, one: base.with({ logPath: join(root, 'one') }), other: base.with({ logPath: join(root, 'other') }) }
}

await t.test('two programs with a passphrase share a chain that the first has made', async (t) => {
  const { relay, url } = await webRelay(t)
  const { one, other, root } = configs(t)
  const here = new Registry(one)
  const there = new Registry(other)
  const { chain } = await here.open(url, 'team/notes')
  await chain.transact((dio) => dio.store({ text: 'from here' }, { type: Note }))
  const { chain: same } = await here.open(`${url}/team/notes`)
  t.equal(same, chain, 'the name may be in the address')
  await chain.transact((dio) => dio.store({ text: 'on the server' }, { type: Note }), { durability: 'server' })
  const { chain: copy } = await there.open(url, 'team/notes')
  t.strictSame(await texts(copy), ['from here', 'on the server'])
  await copy.transact((dio) => dio.store({ text: 'from there' }, { type: Note }))
  await eventually(async () => (await texts(chain)).length === 3)
  await t.rejects(
    chain.transact((dio) => dio.store({ text: 'never' }, { type: Note }), { durability: 'replicated' }),
    { code: 'NOT_SUPPORTED' },
  )
  await t.rejects(new Registry(other.with({ passphrase: 'wrong', logPath: join(root, 'x') })).open(url, 'team/notes'), {
    code: 'WRONG_PASSPHRASE',
  })
  await here.close()
  await there.close()
  await eventually(() => relay.peers.size === 0)
  const again = new Registry(other)
  t.equal((await texts((await again.open(url, 'team/notes')).chain)).length, 3)
  await again.close()
})

await t.test('a commit is durable here or at the server by default, as the recovery mode says', async (t) => {
  const { relay, url } = await webRelay(t)
  const { one, root } = configs(t)
  for (const [recoveryMode, isLocal] of [
    ['readonly-async', true],
    ['async', true],
    ['readonly-sync', false],
    ['sync', false],
  ] as const) {
    const registry = new Registry(one.with({ recoveryMode, logPath: join(root, recoveryMode) }))
    const { chain } = await registry.open(url, recoveryMode)
    await chain.transact((dio) => dio.store({ text: 'turn' }, { type: Note }), { durability: 'server' })
    relay.acceptsNothing = true
    const state = { isDone: false }
    const commit = chain.transact((dio) => dio.store({ text: 'waits?' }, { type: Note }))
    void commit.then(() => (state.isDone = true))
    if (isLocal) await commit
    else {
      await eventually(() => relay.chains.get(recoveryMode)?.batches.length === 2)
      await new Promise((resolve) => setTimeout(resolve, 100))
      t.notOk(state.isDone, `${recoveryMode}: not before the server says so`)
    }
    relay.acceptsNothing = false
    await chain.transact((dio) => dio.store({ text: 'more' }, { type: Note }), { durability: 'server' })
    await commit
    await registry.close()
  }
})

await t.test('of two that make it at once one makes it', async (t) => {
  const { relay, url } = await webRelay(t)
  const { one, other } = configs(t)
  const registries = [new Registry(one), new Registry(other)]
  const opened = await Promise.all(registries.map((registry) => registry.open(url, 'new')))
  t.equal(relay.chains.size, 1)
  await Promise.all(opened.map(({ chain }, i) => chain.transact((dio) => dio.store({ text: `${i}` }, { type: Note }))))
  for (const { chain } of opened) await eventually(async () => (await texts(chain)).join() === '0,1')
  for (const registry of registries) await registry.close()
})

await t.test('copies in memory open with the passphrase, and references lead across chains of servers', async (t) => {
  const { url } = await webRelay(t)
  const { one } = configs(t)
  const { passphrase = '', knownServers = '' } = one.options
  const config = AteConfig.default().with({ passphrase, knownServers })
  const Page = dataType('RemotePage', plain<{ title: string }>(), { links: { notes: foreign() } })
  const registry = new Registry(config)
  const { chain: notes } = await registry.open(url, 'notes')
  const { key } = await notes.transact((dio) => dio.store({ text: 'far away' }, { type: Note }))
  const { chain: pages } = await registry.open(url, 'pages')
  const page = await pages.transact((dio) => {
    const made = dio.store({ title: 'page' }, { type: Page })
    made.notes.set('one', { chain: `${url}/notes`, key })
    return made
  })
  await pages.sync()
  const elsewhere = new Registry(config)
  const { chain } = await elsewhere.open(url, 'pages')
  const found = await chain.dio().load(Page, page.key)
  t.equal((await found.notes.load('one', Note, elsewhere))?.text, 'far away')
  await t.rejects(elsewhere.load({ chain: `${url}/none`, key }, Note), { code: 'CHAIN_NOT_FOUND' })
  await registry.close()
  await elsewhere.close()
})

await t.test('where a server is says the DNS server that was given, validated if it must be', async (t) => {
  const { port } = await webRelay(t)
  const { one, root } = configs(t)
  const [host, other] = ['db.example.org', 'other.example.org']
  const dns = await dnsServer(t, { records: { [host]: [a(host, '127.0.0.1')], [other]: [a(other, '127.0.0.1')] } })
  const registry = new Registry(one.with({ dnsServer: dns.address }))
  const { chain } = await registry.open(`ws://${host}:${port}/db`, 'notes')
  await chain.transact((dio) => dio.store({ text: 'there' }, { type: Note }), { durability: 'server' })
  t.ok(dns.asked.includes(`A ${host}`))
  await registry.close()
  const strict = new Registry(one.with({ dnsServer: dns.address, dnsSec: true, logPath: join(root, 'strict') }))
  await t.rejects(strict.open(`ws://${other}:${port}/db`, 'notes'), { message: /has not validated/ })
  await strict.close()
  const wrong = new Registry(one.with({ dnsServer: 'example.org' }))
  await t.rejects(wrong.open(`ws://${host}:${port}/db`, 'notes'), { code: 'BAD_ARGUMENT' })
  await wrong.close()
})

await t.test('addresses that are none, and servers that are away, are told', async (t) => {
  const { one, root } = configs(t)
  const registry = new Registry(one)
  await t.rejects(registry.open('tcp://server:5000/db', 'x'), { code: 'NOT_SUPPORTED', hint: /ws:\/\// })
  await t.rejects(registry.open('ws://server:5000/db'), { code: 'BAD_ARGUMENT' })
  await t.rejects(registry.open('http://server/db', 'x'), { code: 'BAD_ARGUMENT' })
  t.notOk(existsSync(join(root, 'one')))
  await registry.close()
})
