/** Bodies that are fetched: whatever a server answers, who reads gets what the batch says, or an error with a name. */
import t, { type Test } from 'tap'
import { type FollowedChannel, LazyBodies, type LazyBodiesOptions } from '../../src/client/lazy-bodies.js'
import { Waiters } from '../../src/client/waiters.js'
import { equalBytes } from '../../src/engine/bytes/equal.js'
import type { BodyPlace } from '../../src/engine/chain/body-place.js'
import { AteError } from '../../src/engine/error.js'
import { MemoryStorage } from '../../src/engine/log/index.js'
import { GROUP_CONTENT } from '../../src/engine/log/types.js'
import { Peer, type RequestMap } from '../../src/sync/index.js'
import { systemTimers } from '../../src/wire/index.js'
import { create, crypto, draft, keys, open } from '../helpers/log-workbench.js'
import { connected } from '../helpers/wire.js'

type Bodies = RequestMap['bodies']
const NONE = new Uint8Array(0)
type Answer = (asked: Bodies['request']) => Bodies['reply'] | Promise<Bodies['reply']>

/** Three batches of twenty bodies of 4 KiB and one of three of 60 KiB, and a server that answers as it is told to. */
async function workbench(t: Test, options: Partial<LazyBodiesOptions> = {}) {
  const storage = new MemoryStorage()
  await create(storage)
  const { log } = await open({ storage })
  const drafts = [draft(1, 80 * 1024), draft(2, 80 * 1024), draft(3, 80 * 1024), draft(4, 180 * 1024, 60 * 1024)]
  const appended = (await log.append(drafts)).flatMap(({ groups }) => groups)
  const places = new Map<number, BodyPlace>()
  const stored = new Map<number, Uint8Array>()
  for (const { kind, number, segment, position, storedBytes } of appended) {
    if (kind !== GROUP_CONTENT) continue
    places.set(number, { body: number, random: 0, segment, position, storedBytes })
    const bytes = new Uint8Array(storedBytes)
    storage.openReader('0000000001.seg').readSync(position, bytes, 0, storedBytes)
    stored.set(number, bytes)
  }
  await log.close()
  const asked: Bodies['request'][] = []
  const honest = ({ numbers }: Bodies['request']): Bodies['reply'] => ({
    bodies: numbers.map((number) => stored.get(number) ?? null),
  })
  const at: { answer: Answer; session: FollowedChannel | undefined; isAway: boolean } = {
    answer: honest,
    session: undefined,
    isAway: false,
  }
  const notices: string[] = []
  const connect = async (): Promise<FollowedChannel> => {
    const { client, server } = await connected()
    const [peer, there] = [new Peer(client), new Peer(server)]
    const bodies: Answer = (request) => {
      asked.push(request)
      return at.answer(request)
    }
    there.listen(1, { requests: { bodies } })
    t.teardown(() => Promise.all([peer.close(), there.close()]))
    return { peer, channel: 1 }
  }
  at.session = await connect()
  const lazy = new LazyBodies({
    source: { storage, crypto, keys },
    link: { server: 'there' },
    patienceMs: 100,
    starting: new Waiters(systemTimers),
    isAway: () => at.isAway,
    session: () => at.session,
    demandSound: () => undefined,
    onNotice: (message) => notices.push(message),
    timers: systemTimers,
    ...options,
  })
  t.teardown(() => lazy.close())
  const read = (body: number): Promise<Uint8Array> => {
    const place = places.get(body)
    if (place === undefined) throw new Error(`no body ${body}`)
    return Promise.resolve(lazy.here(body) ?? lazy.fetch(place))
  }
  return { lazy, read, stored, asked, honest, at, connect, notices }
}

await t.test('a body that several read is asked for once, and is here then', async (t) => {
  const { lazy, read, stored, asked } = await workbench(t)
  const all = await Promise.all([read(2005), read(2005), read(2005)])
  for (const each of all) t.ok(equalBytes(each, stored.get(2005) ?? NONE))
  t.strictSame(asked, [{ sequence: 2, numbers: [2005] }])
  t.ok(lazy.here(2005))
  t.equal(lazy.here(2006), undefined, 'nothing is fetched ahead for one that is read alone')
})

await t.test('what is wanted of one batch at once is one request; of others, others', async (t) => {
  const { read, stored, asked } = await workbench(t)
  const numbers = [1003, 1001, 3007, 1002, 3001]
  const got = await Promise.all(numbers.map(read))
  for (const [i, number] of numbers.entries()) t.ok(equalBytes(got[i] ?? NONE, stored.get(number) ?? NONE))
  t.equal(asked.length, 2)
  t.ok(asked.every(({ sequence, numbers: each }) => each.every((one) => Math.floor(one / 1000) === sequence)))
})

await t.test('who reads in order has more and more fetched ahead, and every body once', async (t) => {
  const { read, stored, asked } = await workbench(t)
  for (let body = 1001; body <= 1020; body++) t.ok(equalBytes(await read(body), stored.get(body) ?? NONE))
  const numbers = asked.flatMap((one) => one.numbers)
  t.strictSame(numbers, [...new Set(numbers)])
  t.equal(numbers.length, 20)
  t.ok(asked.length < 10, `${asked.length} requests`)
})

await t.test('an answer with some of the bodies only is followed by a request for the rest', async (t) => {
  const { read, stored, asked, honest, at } = await workbench(t)
  at.answer = (request) => ({ bodies: honest(request).bodies.slice(0, 1) })
  const got = await Promise.all([4001, 4002, 4003].map(read))
  for (const [i, number] of [4001, 4002, 4003].entries()) t.ok(equalBytes(got[i] ?? NONE, stored.get(number) ?? NONE))
  t.equal(asked.length, 3)
})

await t.test('what was dropped is BODY_GONE, and the others of the answer are there', async (t) => {
  const { read, stored, honest, at } = await workbench(t)
  at.answer = ({ sequence, numbers }) => ({
    bodies: numbers.map((one) => (one === 1002 ? null : (honest({ sequence, numbers: [one] }).bodies[0] ?? null))),
  })
  const [first, gone, last] = await Promise.allSettled([read(1001), read(1002), read(1003)])
  t.match(first, { status: 'fulfilled' })
  t.match(gone, { reason: { code: 'BODY_GONE' } })
  t.ok(last.status === 'fulfilled' && equalBytes(last.value, stored.get(1003) ?? NONE))
})

const lies: Record<string, (stored: ReadonlyMap<number, Uint8Array>) => Answer> = {
  'other bytes': () => () => ({ bodies: [new Uint8Array(4096 + 116).fill(7)] }),
  'one byte that is another': (stored) => () => {
    const bytes = stored.get(1001)?.slice() ?? new Uint8Array(0)
    bytes[2000] = (bytes[2000] ?? 0) ^ 1
    return { bodies: [bytes] }
  },
  'the body beside it': (stored) => () => ({ bodies: [stored.get(1002) ?? null] }),
  'a part of it': (stored) => () => ({ bodies: [stored.get(1001)?.slice(0, 4000) ?? null] }),
  'it with more behind it': (stored) => () => ({
    bodies: [Uint8Array.from([...(stored.get(1001) ?? []), 0])],
  }),
  'nothing at all': () => () => ({ bodies: [] }),
  'more than was asked for': (stored) => () => ({ bodies: [stored.get(1001) ?? null, stored.get(1002) ?? null] }),
}
for (const [name, lie] of Object.entries(lies))
  await t.test(
    `a server that answers ${name}: BODY_DAMAGED, the connection ends, and the next one is asked`,
    async (t) => {
      const { read, stored, honest, at, connect, notices } = await workbench(t)
      at.answer = lie(stored)
      const lying = at.session
      await t.rejects(read(1001), { code: 'BODY_DAMAGED' })
      t.equal(notices.length, 1)
      await lying?.peer.closed
      at.answer = honest
      at.session = await connect()
      t.ok(equalBytes(await read(1001), stored.get(1001) ?? NONE))
    },
  )

await t.test('answers that are none end the connection, and who reads is told', async (t) => {
  for (const body of [{ bodies: 7 }, { bodies: [5] }, { bodies: Array.from({ length: 65 }, () => null) }, {}]) {
    const { read, at } = await workbench(t, { fetchMs: 200 })
    at.answer = () => body as unknown as Bodies['reply']
    await t.rejects(read(1001), { code: 'BODY_AWAY' })
    t.equal((await at.session?.peer.closed)?.code, 'BAD_FORMAT')
  }
})

await t.test('a server that never answers is given up in a bounded time', async (t) => {
  const { read, at } = await workbench(t, { fetchMs: 100 })
  at.answer = () => new Promise(() => undefined)
  const began = performance.now()
  await t.rejects(read(1001), { code: 'BODY_AWAY' })
  t.ok(performance.now() - began < 2000)
})

await t.test('one that refuses is told', async (t) => {
  const { read, at } = await workbench(t)
  at.answer = () => {
    throw new AteError('NOT_SUPPORTED', 'Never.')
  }
  await t.rejects(read(1001), { code: 'BODY_AWAY', message: /Never/ })
})

await t.test('a connection that is lost while it answers is asked again on the next', async (t) => {
  const { read, stored, honest, at, connect } = await workbench(t)
  at.answer = async (request) => {
    await at.session?.peer.close(new AteError('CONNECTION_LOST', 'cut'))
    return honest(request)
  }
  const reading = read(1001)
  const next = await connect()
  await at.session?.peer.closed
  at.answer = honest
  at.session = next
  t.ok(equalBytes(await reading, stored.get(1001) ?? NONE))
})

await t.test('while nobody is there it is waited for as long as it may come back, and then no more', async (t) => {
  const { read, at } = await workbench(t)
  at.session = undefined
  await t.rejects(read(1001), { code: 'BODY_AWAY' })
  at.isAway = true
  const began = performance.now()
  await t.rejects(read(1001), { code: 'BODY_AWAY' })
  t.ok(performance.now() - began < 90)
})

await t.test('what is kept is bounded, and what went is fetched again', async (t) => {
  const { lazy, read, stored, asked } = await workbench(t, { fetchedBytes: 5 * 4212 })
  for (const number of [1001, 1005, 1009, 2001, 2005, 2009, 3001, 3005]) await read(number)
  const kept = [...stored.keys()].filter((number) => lazy.here(number) !== undefined)
  t.equal(kept.length, 5)
  const before = asked.length
  t.ok(equalBytes(await read(1001), stored.get(1001) ?? NONE))
  t.equal(asked.length, before + 1)
})

await t.test('closed, it refuses whoever waits and whoever comes', async (t) => {
  const { lazy, read, at } = await workbench(t)
  at.answer = () => new Promise(() => undefined)
  const waiting = [1001, 2001, 3001, 4001, 1011, 2011].map(read)
  await new Promise((resolve) => setTimeout(resolve, 20))
  void lazy.close()
  for (const each of waiting) await t.rejects(each, { code: 'CHAIN_CLOSED' })
  await t.rejects(read(1002), { code: 'CHAIN_CLOSED' })
})
