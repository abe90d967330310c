/** Foreign links lead into other chains, which a registry opens once, shares and closes; on disk and in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  AteConfig,
  AteSession,
  ChainBuilder,
  type ChainUse,
  compression,
  dataType,
  errorCode,
  foreign,
  generateReadKey,
  type ObjectKey,
  objectKey,
  plain,
  type Plugin,
  readBy,
  Registry,
  vecOf,
  vote,
} from '../../src/index.js'

const Stop = dataType('Stop', plain<{ name: string }>())
const Line = dataType('Line', plain<{ name: string }>(), { links: { stops: vecOf(Stop), next: foreign() } })
const NOBODYS_KEY = objectKey('0000000000100000000002')

function onDisk(t: Test): AteConfig {
  const root = mkdtempSync(join(tmpdir(), 'atefs-registry-'))
  const state = process.env['XDG_STATE_HOME']
  process.env['XDG_STATE_HOME'] = join(root, 'state')
  t.teardown(() => {
    if (state === undefined) delete process.env['XDG_STATE_HOME']
    else process.env['XDG_STATE_HOME'] = state
    rmSync(root, { recursive: true })
  })
  return AteConfig.default().with({ logPath: join(root, 'chains') })
}

/** Stores a line that leads to another one, in a chain. */
async function lineIn(registry: Registry, chain: string, next?: { chain: string; key: ObjectKey }): Promise<ObjectKey> {
  using use = await registry.open(chain)
  return await use.chain.transact((dio) => {
    const line = dio.store({ name: `of ${chain}` }, { type: Line })
    line.stops.push({ name: 'first' })
    if (next !== undefined) line.next.set('line', next)
    return line.key
  })
}

async function withUse<T>(registry: Registry, name: string, work: (use: ChainUse) => Promise<T>): Promise<T> {
  using use = await registry.open(name)
  return await work(use)
}

/** What the link of a line leads to. */
async function follow(registry: Registry, chain: string, key: ObjectKey, type = Line, session = new AteSession()) {
  using use = await registry.open(chain)
  return await (await use.chain.dio(session).load(Line, key)).next.load('line', type, registry)
}

for (const [kind, configOf] of [
  ['memory', () => AteConfig.default()],
  ['disk', onDisk],
] as const) {
  await t.test(`${kind}: a foreign link leads to an object of another chain, and on from there`, async (t) => {
    await using registry = new Registry(configOf(t))
    const far = await lineIn(registry, 'far')
    const near = await lineIn(registry, 'near', { chain: 'far', key: far })
    const found = await follow(registry, 'near', near)
    t.equal(found?.name, 'of far')
    t.equal((await found?.stops.at(0))?.name, 'first', 'with its own links')
    t.throws(() => Object.assign(found ?? {}, { name: 'changed' }), TypeError, 'it is loaded for reading')
    t.equal(await follow(registry, 'far', far), undefined, 'a link that was not set leads to nothing')
  })

  await t.test(`${kind}: what is not there, or not of the type, is an error with its code`, async (t) => {
    const config = configOf(t)
    await using registry = new Registry(config)
    const far = await lineIn(registry, 'far')
    const failing = async (chain: string, key: ObjectKey, code: string, type = Line) => {
      const near = await lineIn(registry, 'near', { chain, key })
      await t.rejects(follow(registry, 'near', near, type), { code }, `${chain}: ${code}`)
    }
    await failing('nowhere', far, 'CHAIN_NOT_FOUND')
    await failing('far', NOBODYS_KEY, 'NOT_FOUND')
    await failing('far', far, 'WRONG_TYPE', dataType('Moon', plain<{ name: string }>(), { links: { stops: vecOf(Stop), next: foreign() } })) // prettier-ignore
    await failing('../far', far, 'BAD_ARGUMENT')
    await failing('', far, 'BAD_ARGUMENT')
    await failing('tcp://example.org/far', far, 'NOT_SUPPORTED')
    if (kind === 'disk')
      await t.rejects(
        new ChainBuilder(config.with({ noCreate: true })).open('nowhere'),
        { code: 'CHAIN_NOT_FOUND' },
        'no chain was made',
      )
    using use = await registry.open('nowhere')
    t.equal([...use.chain.dio().rootKeys()].length, 0, 'who opens it makes it')
  })

  await t.test(`${kind}: the session that read the link must be able to read where it leads`, async (t) => {
    await using registry = new Registry(configOf(t))
    const read = generateReadKey()
    const far = await lineIn(registry, 'far')
    const session = new AteSession({ readKeys: [read] })
    using use = await registry.open('far')
    await use.chain.transact(async (dio) => dio.protect(await dio.load(Line, far), { read: readBy.only(read) }))
    const near = await lineIn(registry, 'near', { chain: 'far', key: far })
    await t.rejects(follow(registry, 'near', near), { code: 'NO_READ_KEY' })
    t.equal((await follow(registry, 'near', near, Line, session))?.name, 'of far')
  })

  await t.test(`${kind}: chains that refer to each other, and to themselves, are opened once each`, async (t) => {
    await using registry = new Registry(configOf(t))
    const a = await lineIn(registry, 'a')
    const b = await lineIn(registry, 'b', { chain: 'a', key: a })
    using use = await registry.open('a')
    await use.chain.transact(async (dio) => {
      const { next } = await dio.load(Line, a)
      next.set('line', { chain: 'b', key: b })
      next.set('itself', { chain: 'a', key: a })
    })
    let line = await use.chain.dio().load(Line, a)
    const names: string[] = []
    for (let i = 0; i < 4; i++) {
      const next = await line.next.load('line', Line, registry)
      if (next === undefined) return t.fail()
      line = next
      names.push(line.name)
    }
    t.strictSame(names, ['of b', 'of a', 'of b', 'of a'])
    t.equal((await (await use.chain.dio().load(Line, a)).next.load('itself', Line, registry))?.key, a)
    const many = await Promise.all(Array.from({ length: 20 }, () => follow(registry, 'b', b)))
    t.equal(new Set(many.map((found) => found?.key)).size, 1, 'many at once')
  })

  await t.test(`${kind}: chains have their plugins whoever opens them, a foreign link included`, async (t) => {
    const config = configOf(t)
    const strict: Plugin = { name: 'strict', validators: [() => vote.deny('never')] }
    const plugins = (name: string): Plugin[] => (name === 'strict' ? [strict] : [compression()])
    await using registry = new Registry(config, { plugins, keepOpenMs: 1 })
    const long = 'far away '.repeat(1000)
    const { key, near } = await withUse(registry, 'far', async ({ chain }) => {
      const { key } = await chain.transact((dio) => dio.store({ name: long }, { type: Line }))
      return { key, near: await lineIn(registry, 'near', { chain: 'far', key }) }
    })
    await sleep(20)
    t.equal((await follow(registry, 'near', near))?.name, long)
    await t.rejects(lineIn(registry, 'strict', { chain: 'far', key }), { code: 'REFUSED' })
  })

  await t.test(`${kind}: a registry that is closed has closed its chains, and opens none`, async (t) => {
    const registry = new Registry(configOf(t))
    const use = await registry.open('a')
    const opening = registry.open('b').catch(errorCode)
    await registry.close()
    await registry.close()
    t.throws(() => use.chain.dio(), { code: 'CHAIN_CLOSED' })
    const late = await opening
    t.ok(late === 'CHAIN_CLOSED' || (typeof late === 'object' && late.chain.isClosed), 'nor was one on its way')
    use.done()
    await t.rejects(registry.open('a'), { code: 'CHAIN_CLOSED' })
  })

  await t.test(`${kind}: a chain that one of its users has closed is opened again for the next`, async (t) => {
    await using registry = new Registry(configOf(t))
    const use = await registry.open('a')
    const closing = use.chain.close()
    const again = await registry.open('a')
    t.notOk(again.chain.isClosed)
    await closing
    use.done()
    t.notOk(again.chain.isClosed)
  })
}

await t.test('disk: a chain nobody uses is closed after a while, and opened again when it is used', async (t) => {
  const config = onDisk(t)
  await using registry = new Registry(config, { keepOpenMs: 20 })
  const [one, two] = [await registry.open('a'), await registry.open('a')]
  t.equal(one.chain, two.chain)
  one.done()
  one.done()
  await sleep(60)
  t.notOk(two.chain.isClosed, 'somebody uses it')
  await t.rejects(new ChainBuilder(config).open('a'), { code: 'CHAIN_LOCKED' })
  const key = await two.chain.transact((dio) => dio.store({ name: 'kept' }, { type: Line }).key)
  two.done()
  const soon = await registry.open('a')
  t.equal(soon.chain, two.chain, 'it stays open for who comes back')
  soon.done()
  for (let i = 0; i < 200 && !two.chain.isClosed; i++) await sleep(10)
  t.ok(two.chain.isClosed)
  const later = await registry.open('a')
  t.equal((await later.chain.dio().load(Line, key)).name, 'kept')
  later.done()
})

await t.test('memory: a chain nobody uses stays, as it would be gone', async (t) => {
  await using registry = new Registry(AteConfig.default(), { keepOpenMs: 1 })
  const key = await lineIn(registry, 'a')
  await sleep(20)
  using use = await registry.open('a')
  t.equal((await use.chain.dio().load(Line, key)).name, 'of a')
})
