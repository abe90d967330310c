/** What is committed while the server is away and others go on lies beside the chain afterwards, and the chain is as they have it. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import {
  AteConfig,
  type Chain,
  discardSetAside,
  listSetAside,
  openSetAside,
  Registry,
  type SetAside,
} from '../../src/index.js'
import { Note, store, texts } from '../helpers/disk-chains.js'
import { TestServer } from '../helpers/real-server.js'

type Trust = 'centralized' | 'distributed'

async function served(
  t: Test,
  trust: Trust = 'centralized',
): Promise<{ server: TestServer; url: string; root: string; config: AteConfig }> {
  const root = mkdtempSync(join(tmpdir(), 'atefs-set-aside-'))
  const server = new TestServer({}, trust)
  const onTransport = server.accept.bind(server)
  const listener = await listenWebSocket({ host: '127.0.0.1', port: 0, onTransport })
  t.teardown(async () => {
    server.cut()
    await server.close()
    await listener.close()
    rmSync(root, { recursive: true })
  })
  const known = { passphrase: 'secret', knownServers: join(root, 'known'), recoveryMode: 'async' } as const
  const trusting = trust === 'distributed' ? { trust } : {}
  return {
    root,
    server,
    url: `ws://127.0.0.1:${listener.port}/db`,
    config: AteConfig.default().with({ ...known, ...trusting }),
  }
}

for (const [here, there, trust] of [
  [1, 4, 'centralized'],
  [4, 1, 'centralized'],
  [2, 3, 'distributed'],
] as const)
  await t.test(
    `${here} commits made without the server, and ${there} by others, ${trust} trust: set aside`,
    async (t) => {
      const { server, url, root, config } = await served(t, trust)
      const notices: string[] = []
      const told: SetAside[] = []
      const ears = {
        onNotice: (message: string) => notices.push(message),
        onSetAside: (aside: SetAside) => told.push(aside),
      }
      const one = config.with({ logPath: join(root, 'one'), ...ears })
      const using = async (config: AteConfig, work: (chain: Chain) => Promise<void>): Promise<void> => {
        const registry = new Registry(config)
        await work((await registry.open(url, 'notes')).chain).finally(() => registry.close())
      }
      await using(one, async (chain) => {
        await chain.transact((dio) => dio.store({ text: 'both' }, { type: Note }), { durability: 'server' })
        server.isAway = true
        server.cut()
        for (let i = 0; i < here; i++) await store(chain, `here ${i}`)
      })
      server.isAway = false
      const others = ['both', ...Array.from({ length: there }, (_, i) => `there ${i}`)]
      await using(config.with({ logPath: join(root, 'other'), recoveryMode: 'sync' }), async (chain) => {
        for (const text of others.slice(1)) await store(chain, text)
      })
      await using(one, async (chain) => {
        t.strictSame((await texts(chain)).toSorted(), others)
        await chain.transact((dio) => dio.store({ text: 'together' }, { type: Note }), { durability: 'server' })
        const [aside] = listSetAside(one, `${url}/notes`)
        if (aside === undefined) throw new Error('nothing is listed')
        t.strictSame(told, [aside])
        t.equal(aside.last - aside.first + 1, here)
        await using was = await openSetAside(one, aside)
        const made = await Promise.all(was.changed.map((key) => was.chain.dio().load(Note, key)))
        t.strictSame(
          made.map(({ text }) => text),
          Array.from({ length: here }, (_, i) => `here ${i}`),
          'what was made here, and nothing else',
        )
        await t.rejects(store(was.chain, 'more'), { code: 'READ_ONLY' })
        await chain.transact((dio) => made.forEach(({ text }) => dio.store({ text }, { type: Note })), {
          durability: 'server',
        })
        await was.close()
        await discardSetAside(aside)
        t.strictSame(listSetAside(one, `${url}/notes`), [])
      })
      t.match(notices.join('\n'), new RegExp(`Others went on with .*: ${here} commits`))
      const kept = readdirSync(join(root, 'one'), { recursive: true, encoding: 'utf8' })
      t.equal(kept.filter((name) => name.includes('.set-aside/')).length, 1)
      await using(config, async (chain) => {
        t.equal((await texts(chain)).length, others.length + 1 + here)
      })
    },
  )

await t.test('what a crash left beside the copy before it was exchanged is no part of the chain', async (t) => {
  const { url, root, config } = await served(t)
  const here = config.with({ logPath: join(root, 'here') })
  const registry = new Registry(here)
  await store((await registry.open(url, 'notes')).chain, 'one')
  await registry.close()
  const [copy = ''] = readdirSync(join(root, 'here'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('%2Fnotes'),
  )
  const directory = join(root, 'here', copy)
  cpSync(directory, `${directory}.set-aside/1-99.chain`, { recursive: true })
  const [aside] = listSetAside(here, `${url}/notes`)
  if (aside === undefined) throw new Error('nothing is listed')
  await t.rejects(openSetAside(here, aside), { code: 'CHAIN_NOT_FOUND' })
})

await t.test('a chain that is no copy of one at a server was never set aside', async (t) => {
  const { root, config } = await served(t)
  const here = config.with({ logPath: root })
  const registry = new Registry(here)
  await store((await registry.open('notes')).chain, 'one')
  await registry.close()
  const aside = { url: 'ws://localhost/db/notes', path: join(root, 'notes'), first: 1, last: 1 }
  await t.rejects(openSetAside(here, aside), { code: 'CHAIN_NOT_FOUND', message: /no copy of a chain/ })
})
