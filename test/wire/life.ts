/** Time: signs of life, silence, handshakes and goodbyes that nobody answers. No timer is left. */
import t from 'tap'
import { accept, connect, type Connection, memoryTransports } from '../../src/wire/index.js'
import { middleman } from '../helpers/middleman.js'
import { clientOptions, connected, failure, ManualTimers, serverOptions, settled, take } from '../helpers/wire.js'

const MINUTE = 60_000

t.test('an idle connection lives, by a sign of life at least every 15 seconds', async (t) => {
  const timers = new ManualTimers()
  const man = middleman()
  const { client, server } = await connected({ timers }, { timers }, [man.client, man.server])
  const before = man.seen.client.length
  await timers.pass(10 * MINUTE)
  t.ok(man.seen.client.length - before >= 40, `${man.seen.client.length - before} in ten minutes`)
  t.ok(man.seen.client.length - before <= 90)
  client.send('still there')
  t.same(await take(server, 1), ['still there'])
  await client.close()
  t.equal(timers.pending, 0)
})

t.test('a side that is silent for 45 seconds is given up', async (t) => {
  const timers = new ManualTimers()
  let isBroken = false
  const man = middleman((packet) => (isBroken ? [] : [packet]))
  const { client, server } = await connected({ timers }, { timers }, [man.client, man.server])
  await timers.pass(MINUTE)
  isBroken = true
  let reason = ''
  void client.closed.then(({ code }) => (reason = code))
  await timers.pass(30_000)
  t.equal(reason, '')
  await timers.pass(20_000)
  t.equal(reason, 'CONNECTION_LOST')
  t.equal((await server.closed).code, 'CONNECTION_LOST')
  t.equal(timers.pending, 0)
})

t.test('a side that does not read is not taken for silent, and does not take the other for it', async (t) => {
  const timers = new ManualTimers()
  const { client, server } = await connected({ timers }, { timers, maxUnreadBytes: 1000 })
  for (let i = 0; i < 10; i++) {
    client.send(new Uint8Array(1000))
    await settled()
  }
  await timers.pass(10 * MINUTE)
  t.equal((await take(server, 10)).length, 10)
  client.send('more')
  t.same(await take(server, 1), ['more'])
  await client.close()
  t.equal(timers.pending, 0)
})

t.test('a handshake that nobody answers ends after 10 seconds, on either side and at every step', async (t) => {
  for (const [side, from] of [
    ['client', 0],
    ['client', 1],
    ['client', 2],
    ['server', 0],
    ['server', 1],
  ] as const) {
    const timers = new ManualTimers()
    const man = middleman((packet, by, index) => (by === side && index >= from ? [] : [packet]))
    const ends = [
      failure(connect(man.client, clientOptions({ timers }))),
      failure(accept(man.server, serverOptions({ timers })).then((connection) => connection.closed)),
    ]
    await settled()
    await timers.pass(9_000)
    await timers.pass(4_000)
    const codes = await Promise.all(ends)
    t.ok(codes.includes('TIMED_OUT'), `${side} ${from}: ${codes.join(' and ')}`)
    await timers.pass(4_000)
    t.equal(timers.pending, 0)
  }
})

t.test('a goodbye that nobody answers ends after 3 seconds', async (t) => {
  const timers = new ManualTimers()
  let isBroken = false
  const man = middleman((packet) => (isBroken ? [] : [packet]))
  const { client, server } = await connected({ timers }, { timers }, [man.client, man.server])
  isBroken = true
  let reason = ''
  void client.close().then(({ code }) => (reason = code))
  await timers.pass(2_900)
  t.equal(reason, '')
  await timers.pass(200)
  t.equal(reason, 'CONNECTION_CLOSED')
  t.equal((await server.closed).code, 'CONNECTION_LOST')
  t.equal(timers.pending, 0)
})

t.test('connecting can be given up', async (t) => {
  const timers = new ManualTimers()
  const giveUp = new AbortController()
  const [here, there] = memoryTransports()
  let hasEnded = false
  there.start({ packet: () => undefined, ended: () => (hasEnded = true) })
  const connecting = failure(connect(here, clientOptions({ timers, signal: giveUp.signal })))
  await settled()
  giveUp.abort()
  t.equal(await connecting, 'ABORTED')
  await settled()
  t.ok(hasEnded)
  t.equal(timers.pending, 0)
  t.equal(await failure(connect(memoryTransports()[0], clientOptions({ signal: giveUp.signal }))), 'ABORTED')
})

t.test('messages that are sent together share a frame; large ones have their own', async (t) => {
  const man = middleman()
  const { client, server } = await connected({}, {}, [man.client, man.server])
  const framesOf = async (send: (connection: Connection) => number): Promise<number> => {
    const before = man.seen.client.length
    await take(server, send(client))
    return man.seen.client.length - before
  }
  const small = await framesOf((connection) => {
    for (let i = 0; i < 1000; i++) connection.send(i)
    return 1000
  })
  t.equal(small, 1)
  const mixed = await framesOf((connection) => {
    for (const size of [10, 10, 500_000, 10, 10]) connection.send(new Uint8Array(size))
    return 5
  })
  t.ok(mixed <= 4, `${mixed} frames`)
  const tiny = await framesOf((connection) => {
    for (let i = 0; i < 10_000; i++) connection.send(1)
    return 10_000
  })
  t.equal(tiny, 3, 'no frame has more than 4,096')
  await client.close()
})

t.test('a message that is too large is refused where it is sent, and the connection goes on', async (t) => {
  const { client, server } = await connected()
  t.throws(() => client.send(new Uint8Array(1_048_000)), { code: 'MESSAGE_TOO_LARGE' })
  client.send(new Uint8Array(1_047_995))
  const [message] = await take(server, 1)
  t.ok(message instanceof Uint8Array && message.length === 1_047_995)
  await client.close()
})
