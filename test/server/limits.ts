/** What one connection, and all of them together, may cost a server: what is more waits, or is refused by name. */
import t from 'tap'
import { MemoryAnchor } from '../helpers/log-workbench.js'
import { batchItemPieces, MemoryStorage } from '../../src/engine/log/index.js'
import { batchParts, START } from '../../src/sync/index.js'
import { LocalChain, MemoryStores, serverOn, TestClient } from '../helpers/chain-server.js'
import { failure, ManualTimers, settled } from '../helpers/wire.js'

t.test('one who follows twice at once on a channel is one follower', async (t) => {
  const server = serverOn(new MemoryStores())
  const local = await LocalChain.make(100, 200, 300)
  const owner = await (await TestClient.to(server)).create('notes')
  const { term } = await owner.turn(START)
  await owner.upload(term, await local.batches())
  await owner.release(term)
  const channel = await (await TestClient.to(server, 2)).open('notes')
  const both = await Promise.all([failure(channel.follow()), failure(channel.follow())])
  t.strictSame(both, ['resolved', 'BAD_ARGUMENT'])
  await channel.barrier()
  t.strictSame(
    channel.received.map(({ sequence }) => sequence),
    [1, 2, 3],
  )
  const other = await (await TestClient.to(server, 3)).open('notes')
  t.equal(await failure(other.follow({ sequence: 1, digest: new Uint8Array(32) })), 'CHAIN_FORKED')
  t.equal((await other.follow()).sequence, 3, 'what was refused is no following')
  await server.close()
})

t.test('requests of a connection above its rate wait for the next second, on all its channels together', async (t) => {
  const timers = new ManualTimers()
  const server = serverOn(new MemoryStores(), { timers, limits: { requestsPerSecond: 400 } })
  const client = await TestClient.to(server)
  const channel = await client.create('notes')
  const second = await client.open('notes')
  await timers.pass(1000)
  const answered = { count: 0 }
  const asked = Array.from({ length: 225 }, (_, i) =>
    (i % 2 === 0 ? channel : second).barrier().then(() => answered.count++),
  )
  await settled()
  await settled()
  t.equal(answered.count, 225, 'within the rate')
  const follows = Array.from({ length: 10 }, async () => {
    await failure(channel.follow())
    answered.count++
  })
  await settled()
  await settled()
  t.equal(answered.count, 225 + 8, 'following costs more')
  await timers.pass(1000)
  await Promise.all([...asked, ...follows])
  const other = await TestClient.to(server, 2)
  t.equal((await (await other.open('notes')).barrier()).sequence, 0, 'others have a rate of their own')
  await server.close()
})

t.test('bytes that a connection brings to a chain above its rate wait for the next second', async (t) => {
  const timers = new ManualTimers()
  const server = serverOn(new MemoryStores(), { timers, limits: { bytesPerSecond: 25_000 } })
  const local = await LocalChain.make(10_000, 10_000, 10_000, 10_000)
  const client = await TestClient.to(server)
  const [one, other] = [await client.create('one'), await client.create('other')]
  const turns = [(await one.turn(START)).term, (await other.turn(START)).term]
  for (const [i, channel] of [one, other].entries()) await channel.upload(turns[i] ?? 0, await local.batches())
  for (let i = 0; i < 10; i++) await settled()
  t.ok(Math.max(...one.accepted) < 4, 'not all of it yet')
  for (let second = 0; second < 5; second++) {
    await timers.pass(1000)
    for (let i = 0; i < 10; i++) await settled()
  }
  t.equal(one.accepted.at(-1), 4)
  t.equal(other.accepted.at(-1), 4)
  await server.close()
})

t.test('what all bring at the same time is bounded: who is refused may bring it another time', async (t) => {
  const server = serverOn(new MemoryStores(), { limits: { heldBytes: 100_000 } })
  const local = await LocalChain.make(50_000, 50_000)
  const large = await LocalChain.make(150_000)
  const client = await TestClient.to(server)
  const channel = await client.create('notes')
  const { term } = await channel.turn(START)
  await channel.upload(term, await large.batches())
  await channel.until(() => channel.refused.length > 0)
  t.match(channel.refused[0], { term, sequence: 1, code: 'LAGGED' })
  const again = await channel.turn(START)
  for (const sequence of [1, 2]) {
    await channel.upload(again.term, await local.batches(sequence, sequence))
    await channel.until(() => channel.accepted.at(-1) === sequence)
  }
  await server.close()
})

t.test('who begins a batch and does not go on with it keeps nobody from writing', async (t) => {
  const timers = new ManualTimers()
  const server = serverOn(new MemoryStores(), { timers, limits: { heldBytes: 2_400_000, graceMs: 10_000 } })
  const idle = await (await TestClient.to(server, 1)).create('one')
  const { term } = await idle.turn(START)
  const [large] = await (await LocalChain.make(2_000_000)).batches()
  if (large === undefined) throw new Error('there is one')
  for (const part of [...batchParts(batchItemPieces(large))].slice(0, 2))
    idle.client.peer.push(idle.opened.channel, 'batch', { ...part, term })
  for (let i = 0; i < 5; i++) await settled()
  const local = await LocalChain.make(400_000)
  const writer = await (await TestClient.to(server, 2)).create('two')
  const first = await writer.turn(START)
  await writer.upload(first.term, await local.batches())
  await writer.until(() => writer.refused.length > 0)
  t.match(writer.refused[0], { code: 'LAGGED' })
  await timers.pass(10_000)
  await settled()
  t.strictSame(idle.refused, [], 'it has brought something in that time')
  await timers.pass(10_000)
  await idle.until(() => idle.refused.length > 0)
  t.match(idle.refused[0], { term, code: 'LAGGED' })
  const again = await writer.turn(START)
  await writer.upload(again.term, await local.batches())
  await writer.until(() => writer.accepted.length > 0)
  t.ok((await idle.turn(START)).term > term)
  await server.close()
})

t.test('chains with long names are listed in several answers', async (t) => {
  const stores = new MemoryStores()
  const names = Array.from({ length: 300 }, (_, i) => `${String(i).padStart(3, '0')}${'\u00fc'.repeat(1000)}`)
  for (const name of names)
    stores.chains.set(`db/${name}`, { storage: new MemoryStorage(), anchor: new MemoryAnchor() })
  const server = serverOn(stores)
  const { peer } = await TestClient.to(server)
  const listed: string[] = []
  let pages = 0
  for (let [after, more] = ['', true]; more; pages++) {
    const page = await peer.request(0, 'list', { after })
    listed.push(...page.chains.map(({ chain }) => chain))
    after = listed.at(-1) ?? ''
    more = page.more
  }
  t.strictSame(listed, names)
  t.equal(pages, 4)
  await server.close()
})

t.test('of chains that are made at the same time a connection has a few', async (t) => {
  const server = serverOn(new MemoryStores())
  const client = await TestClient.to(server)
  const made = await Promise.all(Array.from({ length: 12 }, (_, i) => failure(client.create(`chain ${i}`))))
  t.equal(made.filter((result) => result === 'resolved').length, 8)
  t.equal(made.filter((result) => result === 'LAGGED').length, 4)
  await server.close()
})
