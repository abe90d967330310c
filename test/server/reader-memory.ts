/** What all who read slowly may make a server hold together, and who goes when others wait for it. */
import t from 'tap'
import { MAX_PART_BYTES, START } from '../../src/sync/index.js'
import { ReaderMemory, type Taker } from '../../src/server/reader-memory.js'
import { LocalChain, MemoryStores, serverOn, TestClient } from '../helpers/chain-server.js'
import { connected, ManualTimers, settled, take } from '../helpers/wire.js'

const MIB = 1024 * 1024

function memory(bytes: number) {
  const timers = new ManualTimers()
  const readers = new ReaderMemory({ bytes, timers, lookMs: 1000 })
  const gone: string[] = []
  const reader = (name: string, unsentBytes = 100) => {
    const taker: Taker & { unsentBytes: number } = {
      unsentBytes,
      close: ({ code }) => {
        gone.push(`${name} ${code}`)
        readers.end(of)
      },
    }
    const of = readers.reader(taker)
    return { of, taker }
  }
  return { timers, readers, gone, reader }
}

t.test('who finds no room waits until others have taken theirs, in the order of asking', async (t) => {
  const { readers, reader } = memory(1000)
  const [a, b, c] = [reader('a'), reader('b'), reader('c')]
  await readers.lend(a.of, 400)
  const order: string[] = []
  const second = readers.lend(b.of, 300).then(() => order.push('b'))
  const third = readers.lend(c.of, 50).then(() => order.push('c'))
  await settled()
  t.strictSame(order, [], 'the small one does not overtake')
  readers.giveBack(a.of)
  await Promise.all([second, third])
  t.strictSame(order, ['b', 'c'])
  t.equal(readers.lentBytes, 700)
  readers.end(b.of)
  readers.end(c.of)
  t.equal(readers.lentBytes, 0)
  await readers.lend(a.of, 100 * MIB)
  t.equal(readers.lentBytes, 100 * MIB + MAX_PART_BYTES, 'one alone has room for anything')
})

t.test(
  'who takes nothing while others wait is sent away; who takes a little is not, nor while nobody waits',
  async (t) => {
    const { readers, reader, timers, gone } = memory(1000)
    const [stalled, slow, proven, next] = [reader('stalled'), reader('slow', 20_000), reader('proven'), reader('next')]
    await readers.lend(proven.of, 100)
    readers.giveBack(proven.of)
    await readers.lend(proven.of, 100)
    await readers.lend(stalled.of, 200)
    await readers.lend(slow.of, 150)
    await timers.pass(10_000)
    t.strictSame(gone, [])
    const waiting = [readers.lend(next.of, 100), readers.lend(next.of, 400)]
    for (let i = 0; i < 3; i++) {
      slow.taker.unsentBytes -= 512
      await timers.pass(1000)
    }
    t.strictSame(gone, ['stalled LAGGED'])
    await waiting[0]
    for (let i = 0; i < 8; i++) {
      t.notOk(proven.of.hasEnded, 'who has taken something before has more time')
      slow.taker.unsentBytes -= 512
      await timers.pass(1000)
    }
    t.strictSame(gone, ['stalled LAGGED', 'next LAGGED'])
    const last = readers.lend(reader('last').of, 900)
    await timers.pass(1000)
    await timers.pass(1000)
    readers.end(slow.of)
    for (let i = 0; i < 10; i++) await timers.pass(1000)
    await last
    t.equal(gone.at(-1), 'proven LAGGED', 'and goes all the same')
    await Promise.all(waiting)
  },
)

t.test('who takes a byte at a time keeps nobody waiting', async (t) => {
  const { readers, reader, timers, gone } = memory(1000)
  const [dripping, next] = [reader('dripping', 20_000), reader('next')]
  await readers.lend(dripping.of, 400)
  const waiting = readers.lend(next.of, 400)
  for (let i = 0; i < 4; i++) {
    dripping.taker.unsentBytes -= 1
    await timers.pass(1000)
  }
  t.strictSame(gone, ['dripping LAGGED'])
  await waiting
})

t.test('few batches of unknown size are read at a time; who is gone holds up nobody', async (t) => {
  const { readers, reader } = memory(1000)
  const holder = reader('holder')
  await readers.lend(holder.of, 500)
  let reading = 0
  const some = Array.from({ length: 20 }, (_, i) => reader(`r${i}`))
  const all = some.map(({ of }) => readers.read(of, () => Promise.resolve({ bytes: 200, at: ++reading })))
  await settled()
  t.equal(reading, 4)
  for (const { of } of some.slice(0, 19)) readers.end(of)
  await Promise.all(all.slice(0, 19))
  readers.giveBack(holder.of)
  t.equal((await all[19])?.bytes, 200)
  t.equal(reading, 5, 'nothing is read for who is gone')
  t.equal(await readers.read(some[19]?.of ?? holder.of, () => Promise.resolve(undefined)), undefined)
})

t.test(
  'many that read nothing of large batches cost no more than is set, and who reads gets all of them',
  async (t) => {
    const server = serverOn(new MemoryStores(), { limits: { unsentBytes: 16 * MIB, graceMs: 200, recentBytes: MIB } })
    const writer = await (await TestClient.to(server)).create('notes')
    const local = await LocalChain.make(4 * MIB, 4 * MIB, 100)
    const { term } = await writer.turn(START)
    await writer.upload(term, await local.batches())
    await writer.until(() => writer.accepted.at(-1) === 3)
    const stalled = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const slow = await connected({ maxUnreadBytes: 64 * 1024 })
        server.accept(slow.server, 'db')
        slow.client.send([0, 0, 1, 'open', { chain: 'notes' }])
        await take(slow.client, 1)
        slow.client.send([1, 0, 2, 'follow', { sequence: 0, digest: new Uint8Array(32) }])
        return slow
      }),
    )
    const quick = await (await TestClient.to(server, 2)).open('notes')
    await quick.follow()
    await quick.until(() => quick.received.length === 3)
    const unsent = stalled.reduce((sum, { server: there }) => sum + there.unsentBytes, 0)
    t.ok(unsent < 16 * MIB, `${unsent} bytes wait`)
    const ends = await Promise.race(stalled.map(({ server: there }) => there.closed))
    t.equal(ends.code, 'LAGGED', 'who took nothing made room')
    for (const { client } of stalled) void client.close()
    await server.close()
  },
)
