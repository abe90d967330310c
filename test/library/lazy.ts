/** Chains of a server in memory: content comes when it is read, or with the chain where that is wanted or needed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import {
  AteConfig,
  AteSession,
  type Chain,
  ChainBuilder,
  generateWriteKey,
  type Plugin,
  vote,
  type WriteKey,
} from '../../src/index.js'
import { bytesOf, Note, texts } from '../helpers/disk-chains.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually } from '../helpers/remote-chains.js'
import { webRelay } from '../helpers/web-relay.js'

const LONG = 'x'.repeat(20_000)

interface World {
  /** The server is away for good. */
  leave: () => Promise<void>
  config: AteConfig
  /** Opens it in memory; closed with the test. */
  open: (config: AteConfig, ...plugins: Plugin[]) => Promise<Chain>
}

async function world(t: Test, trust: 'centralized' | 'distributed' = 'centralized'): Promise<World> {
  const root = mkdtempSync(join(tmpdir(), 'atefs-lazy-'))
  const server = new TestServer({}, trust)
  const onTransport = server.accept.bind(server)
  const listener = await listenWebSocket({ host: '127.0.0.1', port: 0, onTransport })
  const open: Chain[] = []
  let leaving: Promise<void> | undefined
  const leave = (): Promise<void> => {
    leaving ??= listener.close()
    server.cut()
    return leaving
  }
  t.teardown(async () => {
    for (const chain of open) await chain.close().catch(() => undefined)
    await leave()
    await server.close()
    rmSync(root, { recursive: true })
  })
  const url = `ws://127.0.0.1:${listener.port}/db`
  const config = AteConfig.default().with({ passphrase: 'secret', knownServers: join(root, 'known') })
  return {
    leave,
    config,
    open: async (config, ...plugins) => {
      const chain = await new ChainBuilder(config, plugins).open(`${url}/notes`)
      open.push(chain)
      return chain
    },
  }
}

async function fill(chain: Chain, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await chain.transact((dio) => dio.store({ text: `${i}${LONG}` }, { type: Note }), { durability: 'server' })
}

await t.test('content comes when it is read: what was not is BODY_AWAY without the server', async (t) => {
  const { leave, config, open } = await world(t)
  const one = await open(config)
  await fill(one, 3)
  const lazy = await open(config)
  const [first] = await texts(lazy)
  t.equal(first, `0${LONG}`)
  const cold = await open(config)
  await leave()
  t.equal((await texts(lazy)).length, 3)
  await t.rejects(texts(cold), { code: 'BODY_AWAY' })
  t.throws(() => lazy.exportRange(), { code: 'NOT_SUPPORTED' })
})

await t.test('all of it comes with `loadsContent`, and can be exported then', async (t) => {
  const { leave, config, open } = await world(t)
  await fill(await open(config), 3)
  const all = await open(config.with({ loadsContent: true }))
  await leave()
  t.equal((await texts(all)).length, 3)
  t.ok((await bytesOf(all.exportRange())).length > 3 * LONG.length)
})

await t.test('a plugin with validators has all content, and sees what others commit', async (t) => {
  const { leave, config, open } = await world(t)
  const one = await open(config)
  await fill(one, 2)
  const seen: number[] = []
  const judge: Plugin = {
    name: 'judge',
    validators: [
      ({ changes }) => {
        for (const change of changes) if (change.kind === 'created') seen.push(JSON.stringify(change.fields).length)
        return vote.allow
      },
    ],
  }
  const judging = await open(config, judge)
  await fill(one, 1)
  await eventually(async () => (await texts(judging)).length === 3)
  t.ok(
    seen.some((length) => length > LONG.length),
    'with its content',
  )
  await leave()
  t.equal((await texts(judging)).length, 3)
})

await t.test('in distributed trust signatures are verified as ever, and content comes when it is read', async (t) => {
  const { leave, config: base, open } = await world(t, 'distributed')
  const key: WriteKey = generateWriteKey()
  const config = base.with({ trust: 'distributed', rootKeys: [key] })
  const one = await open(config)
  const session = new AteSession({ writeKeys: [key] })
  for (const text of ['a', 'b']) {
    const dio = one.dioMut(session)
    dio.store({ text: `${text}${LONG}` }, { type: Note })
    await dio.commit({ durability: 'server' })
  }
  const other = await open(config)
  const cold = await open(config)
  t.strictSame(await texts(other), [`a${LONG}`, `b${LONG}`])
  await leave()
  await t.rejects(texts(cold), { code: 'BODY_AWAY' })
})

await t.test('a server of before, which sends all content, is read as ever', async (t) => {
  const { relay, url } = await webRelay(t)
  const config = AteConfig.default().with({ passphrase: 'secret' })
  await using one = await new ChainBuilder(config).open(`${url}/notes`)
  await fill(one, 3)
  await using lazy = await new ChainBuilder(config).open(`${url}/notes`)
  relay.isAway = true
  relay.cut()
  t.equal((await texts(lazy)).length, 3)
})
