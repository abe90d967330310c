/** Who follows a chain gets every batch, in order, once; and nobody gets what is not of his chain. */
import t from 'tap'
import { AteError } from '../../src/engine/error.js'
import type { ReceivedBatch } from '../../src/engine/log/index.js'
import { GROUP_CONTENT } from '../../src/engine/log/types.js'
import { failureDetail, isHeadAuthentic, START } from '../../src/sync/index.js'
import { digestOf, MemoryStores, serverOn, type TestChannel, TestClient, writerKey } from '../helpers/chain-server.js'
import { keys } from '../helpers/log-workbench.js'
import { servedBatches } from '../helpers/served-batches.js'
import { connected, crypto, failure, identity, settled, take } from '../helpers/wire.js'

type Missing = ReceivedBatch['missing'][number]

const sequences = (count: number, from = 1): number[] => Array.from({ length: count }, (_, i) => from + i)
const got = ({ received }: TestChannel): number[] => received.map(({ sequence }) => sequence)

t.test('what one writes others get, from the beginning and while it goes on', async (t) => {
  const { server, local, writer, term } = await servedBatches(100, 200, 300)
  const early = await (await TestClient.to(server, 2)).open('notes')
  t.equal((await early.follow()).sequence, 3)
  await local.add(400, 500)
  await writer.upload(term, await local.batches(4))
  const late = await (await TestClient.to(server, 3)).open('notes')
  await late.follow()
  for (const reader of [early, late]) {
    await reader.until(() => reader.received.length === 5)
    t.strictSame(got(reader), sequences(5))
  }
  t.equal((await late.barrier()).sequence, 5)
  t.equal(writer.received.length, 0, 'nobody is sent what he brought')
  await server.close()
})

t.test('large batches are whole for whoever comes to follow before, between and behind them', async (t) => {
  const large = 700_000
  const { server, local, writer, term } = await servedBatches(large, large, large)
  const readers: TestChannel[] = []
  for (let round = 0; round < 3; round++) {
    const reader = await (await TestClient.to(server, 2 + round)).open('notes')
    await reader.follow()
    readers.push(reader)
    const next = local.point.sequence + 1
    await local.add(large, large)
    await writer.upload(term, await local.batches(next))
  }
  const all = await local.batches()
  for (const reader of readers) {
    await reader.until(() => reader.received.length === all.length)
    t.strictSame(
      reader.digests,
      all.map(({ bytes }) => digestOf(bytes)),
    )
  }
  await server.close()
})

t.test('who comes back goes on where he was; who has another history is told, with evidence', async (t) => {
  const { server, local } = await servedBatches(100, 100, 100, 100)
  const client = await TestClient.to(server, 2)
  const reader = await client.open('notes')
  const [, second] = await local.batches()
  await reader.follow({ sequence: 2, digest: second?.digest ?? new Uint8Array(32) })
  await reader.until(() => reader.received.length === 2)
  t.strictSame(got(reader), [3, 4])
  const forked = await client.open('notes')
  const error: unknown = await forked
    .follow({ sequence: 2, digest: new Uint8Array(32).fill(1) })
    .catch((error: unknown) => error)
  t.match(error, { code: 'CHAIN_FORKED' })
  const head = failureDetail(error)?.head
  t.ok(head !== undefined && head !== null && isHeadAuthentic(crypto, identity, keys.chainId, head))
  t.equal(head?.sequence, 4)
  await server.close()
})

t.test('a subscriber of one chain receives no byte of another', async (t) => {
  const { server, local, writer, term } = await servedBatches(100)
  const client = await TestClient.to(server, 2)
  const other = await client.create('other', new Uint8Array(16).fill(8))
  await other.follow()
  await local.add(100, 100_000)
  await writer.upload(term, await local.batches(2))
  await writer.until(() => writer.accepted.at(-1) === 3)
  t.equal((await other.barrier()).sequence, 0)
  t.equal(other.received.length, 0)
  // Its batches are none of the other chain either.
  const { term: otherTerm } = await other.turn(START)
  await other.upload(otherTerm, await local.batches(1, 1))
  await other.until(() => other.refused.length === 1)
  t.equal(other.refused[0]?.code, 'OTHER_CHAIN')
  await server.close()
})

t.test('one who does not read stalls nobody, costs bounded memory, and misses nothing', async (t) => {
  const { server, local, writer, term } = await servedBatches(100)
  const slow = await connected({ maxUnreadBytes: 64 * 1024 })
  server.accept(slow.server, 'db')
  slow.client.send([0, 0, 1, 'open', { chain: 'notes' }])
  await take(slow.client, 1)
  slow.client.send([1, 0, 2, 'follow', { sequence: 0, digest: new Uint8Array(32) }])
  const quick = await (await TestClient.to(server, 3)).open('notes')
  await quick.follow()
  const before = local.point.sequence
  for (let i = 0; i < 8; i++) await local.add(2 * 1024 * 1024)
  await writer.upload(term, await local.batches(before + 1))
  await quick.until(() => quick.received.length === 9)
  t.strictSame(got(quick), sequences(9))
  await settled()
  t.ok(slow.server.unsentBytes < 1.5 * 1024 * 1024, `${slow.server.unsentBytes} bytes wait for who does not read`)
  let bytes = 0
  for await (const message of slow.client) {
    const [, , , type, body] = message as [number, number, number, string, { bytes: Uint8Array }]
    if (type !== 'batch') continue
    bytes += body.bytes.length
    if (bytes > 8 * 2 * 1024 * 1024) break
  }
  t.ok(bytes > 8 * 2 * 1024 * 1024, 'everything comes when it is read')
  void slow.client.close()
  await server.close()
})

t.test('a signed head comes behind what it speaks of, and when a channel ends', async (t) => {
  const { server, local } = await servedBatches(100, 100)
  const reader = await (await TestClient.to(server, 2)).open('notes')
  await reader.follow()
  await reader.until(() => reader.heads.length === 1)
  t.equal(reader.received.length, 2)
  const [head] = reader.heads
  t.strictSame(head?.digest, local.point.digest)
  t.ok(head !== undefined && isHeadAuthentic(crypto, reader.opened.signer, keys.chainId, head))
  const leaving = await (await TestClient.to(server, 3)).open('notes')
  await leaving.follow()
  await leaving.leave()
  t.equal(leaving.heads.at(-1)?.sequence, 2)
  t.equal(await failure(leaving.barrier()), 'CHAIN_CLOSED')
  await server.close()
})

t.test('chains are made once, found by name, listed, and named as directories may be', async (t) => {
  const server = serverOn(new MemoryStores())
  const client = await TestClient.to(server)
  t.equal(await failure(client.open('team/notes')), 'CHAIN_NOT_FOUND')
  const made = await client.create('team/notes', keys.chainId, new Uint8Array(5).fill(5))
  t.strictSame(made.opened.keyring, new Uint8Array(5).fill(5))
  t.equal(await failure(client.create('team/notes')), 'CHAIN_EXISTS')
  t.strictSame((await client.open('team/notes')).opened.id, keys.chainId)
  for (const name of ['../notes', 'a//b', '', '~root', 'a/..', 'a\u0000b'])
    t.equal(await failure(client.create(name)), 'BAD_ARGUMENT', JSON.stringify(name))
  const request = {
    chain: 'b',
    id: keys.chainId,
    suite: 1,
    trust: 'distributed',
    keyring: null,
    writer: writerKey,
  } as const
  t.equal(await failure(client.peer.request(0, 'create', request)), 'BAD_ARGUMENT', 'another trust')
  const { chains, more } = await client.peer.request(0, 'list', { after: '' })
  t.strictSame(
    chains.map(({ chain }) => chain),
    ['team/notes'],
  )
  t.notOk(more)
  await server.close()
  t.equal((await client.peer.closed).code, 'CONNECTION_CLOSED')
})

t.test('who may do what is asked first', async (t) => {
  const server = serverOn(new MemoryStores(), {
    admit: ({ kind }) => {
      if (kind === 'create') throw new AteError('NOT_AUTHORIZED', 'No.')
    },
  })
  const client = await TestClient.to(server)
  t.equal(await failure(client.create('notes')), 'NOT_AUTHORIZED')
  t.equal(await failure(client.open('notes')), 'CHAIN_NOT_FOUND')
  await server.close()
})

t.test('a malformed message ends its connection and no other', async (t) => {
  const { server, writer } = await servedBatches(100)
  for (const message of [[0, 0, 1, 'open', {}], [1, 3, 0, 'batch', { bytes: 'text', more: false }], 'nothing']) {
    const { client, server: there } = await connected()
    server.accept(there, 'db')
    client.send(message)
    t.equal((await client.closed).code, 'BAD_FORMAT')
  }
  const { client, server: there } = await connected()
  server.accept(there, 'db')
  client.send([0, 0, 1, 'open', { chain: 'notes' }])
  await take(client, 1)
  client.send([1, 0, 2, 'turn', { session: new Uint8Array(16), term: 0, ...START }])
  t.equal((await writer.barrier()).sequence, 1)
  void client.close()
  await server.close()
})

t.test('nothing is dropped in a chain of distributed trust', async (t) => {
  const server = serverOn(new MemoryStores(), { trust: 'distributed' })
  const client = await TestClient.to(server)
  const channel = await client.create('notes', keys.chainId, null, 'distributed')
  const { term } = await channel.turn(START)
  t.equal(
    await failure(client.peer.request(channel.opened.channel, 'drop', { term, numbers: [[1, 9]], upTo: 0 })),
    'NOT_SUPPORTED',
  )
  await server.close()
})

t.test('a batch that is brought without its content is refused, and ends nothing but the turn', async (t) => {
  const { server, local, writer, term } = await servedBatches(100)
  await local.add(1000)
  const made = await local.batches(2)
  const finding = { kind: 'group', message: '', segment: 1, position: 0, sequence: 2 } as const
  const cut = made.map((batch) => {
    const missing = batch.head.table
      .filter(({ kind }) => kind === GROUP_CONTENT)
      .map((group): Missing => ({ ...group, kind: GROUP_CONTENT, finding }))
    return { ...batch, missing }
  })
  await writer.upload(term, cut)
  await writer.until(() => writer.refused.length === 1)
  t.match(writer.refused, [{ term, sequence: 2, code: 'BATCH_REFUSED', message: /without all/ }])
  const { term: again } = await writer.turn(START)
  await writer.upload(again, made)
  await writer.until(() => writer.accepted.at(-1) === 2)
  await server.close()
})
