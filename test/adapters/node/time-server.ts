/** Asking time servers: right answers, none, and all kinds of wrong ones; the servers are here, on this machine. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { askTime, readAnswer } from '../../../src/adapters/node/sntp.js'
import { followTime } from '../../../src/adapters/node/time-follower.js'
import { answer, type Respond, timeServer, writeTime } from '../../helpers/time-server.js'

await t.test('a server that is ahead or behind is found to be so', async (t) => {
  for (const aheadMs of [0, 1234, -5000, 86_400_000, 20 * 365 * 86_400_000]) {
    const server = await timeServer(t, (request) => answer(request, aheadMs))
    const { offsetMs, roundTripMs } = await askTime(server, 5000)
    t.ok(Math.abs(offsetMs - aheadMs) <= roundTripMs / 2 + 2, `${aheadMs}: ${offsetMs} within ${roundTripMs}`)
  }
})

await t.test('the time that a server takes to answer is not taken for a difference of clocks', (t) => {
  const nonce = randomBytes(8)
  const request = Buffer.concat([Buffer.alloc(40), nonce])
  const asked = Date.now() - 1000
  const packet = answer(request, 0, (packet) => {
    writeTime(packet, 32, asked + 300 + 7000)
    writeTime(packet, 40, asked + 900 + 7000)
  })
  const { offsetMs, roundTripMs } = readAnswer(packet, nonce, asked, 1000)
  t.ok(Math.abs(offsetMs - 7100) < 1, `${offsetMs}`)
  t.ok(Math.abs(roundTripMs - 400) < 1)
  t.end()
})

await t.test('silence ends in time, and a port where nobody listens at once', async (t) => {
  const silent = await timeServer(t, () => undefined)
  await t.rejects(askTime(silent, 50), { code: 'TIMED_OUT' })
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await t.rejects(askTime({ host: '127.0.0.1', port }, 60_000), { code: 'INPUT_OUTPUT' })
  // Connecting fails at once.
  await t.rejects(askTime({ host: '255.255.255.255', port: 123 }, 60_000), { code: 'INPUT_OUTPUT' })
  await t.rejects(askTime({ host: 'no-such-host.invalid', port: 123 }, 60_000), { code: 'INPUT_OUTPUT' })
  await t.rejects(askTime(silent, 60_000, AbortSignal.abort()), { code: 'ABORTED' })
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 20)
  await t.rejects(askTime(silent, 60_000, controller.signal), { code: 'ABORTED' })
})

await t.test('what is no answer is not taken for one', async (t) => {
  const wrong: [string, Respond][] = [
    ['nothing', () => Buffer.alloc(0)],
    ['too short', (request) => answer(request).subarray(0, 47)],
    ['the question itself', (request) => request],
    ['another question’s', (request) => answer(request, 0, (packet) => void packet.writeUInt8(1, 24))],
    ['not synchronized', (request) => answer(request, 0, (packet) => void packet.writeUInt8(0xe4, 0))],
    ['go away', (request) => answer(request, 0, (packet) => void packet.writeUInt8(0, 1))],
    ['stratum 16', (request) => answer(request, 0, (packet) => void packet.writeUInt8(16, 1))],
    ['no time', (request) => answer(request, 0, (packet) => void packet.fill(0, 40))],
    ['sent before it came', (request) => answer(request, 0, (packet) => writeTime(packet, 40, Date.now() - 5000))],
    ['longer there than away', (request) => answer(request, 0, (packet) => writeTime(packet, 40, Date.now() + 5000))],
    ['garbage', () => randomBytes(1400)],
  ]
  for (const [what, respond] of wrong) {
    const server = await timeServer(t, respond)
    await t.rejects(askTime(server, 80), { code: 'BAD_FORMAT' }, what)
  }
})

await t.test('a flood of garbage does not hide the answer', async (t) => {
  const server = await timeServer(t, (request) => [
    ...Array.from({ length: 50 }, () => randomBytes(48)),
    answer(request, 700),
  ])
  t.ok(Math.abs((await askTime(server, 5000)).offsetMs - 700) < 100)
})

t.test('whatever an answer holds, it is refused or it is a number', (t) => {
  const nonce = randomBytes(8)
  const request = Buffer.concat([Buffer.alloc(40), nonce])
  for (let i = 0; i < 2000; i++) {
    const packet = answer(request, 0, (packet) => {
      for (let n = 0; n < 1 + (i % 4); n++) packet[randomBytes(1).readUInt8() % 48] = randomBytes(1).readUInt8()
    })
    try {
      const { offsetMs, roundTripMs } = readAnswer(packet.subarray(0, 40 + (i % 9)), nonce, Date.now() - 5, 5)
      if (!Number.isFinite(offsetMs) || !(roundTripMs >= 0)) t.fail(packet.toString('hex'))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'BAD_FORMAT')) throw error
    }
  }
  t.end()
})

await t.test(
  'everybody is told what is found out, servers are asked once for all, and not when nobody listens',
  async (t) => {
    let aheadMs = 3000
    const server = await timeServer(t, (request) => answer(request, aheadMs))
    const pace = { intervalMs: 30, retryMs: 5, timeoutMs: 1000 }
    const told: number[][] = [[], []]
    const stops = told.map((list) => followTime(server, (offsetMs) => list.push(Math.round(offsetMs / 1000)), pace))
    const until = async (isDone: () => boolean): Promise<void> => {
      for (let i = 0; i < 500 && !isDone(); i++) await sleep(10)
    }
    await until(() => told.every((list) => list.length > 0))
    t.strictSame(told.map(([first]) => first), [3, 3]) // prettier-ignore
    t.equal(server.asked() % 3, 0, 'three questions a round')
    aheadMs = -2000
    await until(() => told.every((list) => list.at(-1) === -2))
    t.strictSame(told.map((list) => list.at(-1)), [-2, -2]) // prettier-ignore
    const late: number[] = []
    stops.push(followTime(server, (offsetMs) => late.push(Math.round(offsetMs / 1000)), pace))
    t.strictSame(late, [-2], 'who comes later is told at once')
    for (const stop of stops) stop()
    await sleep(20)
    const asked = server.asked()
    await sleep(100)
    t.equal(server.asked(), asked)
  },
)

await t.test('a server that is not there is asked again, and found when it comes', async (t) => {
  let isThere = false
  const server = await timeServer(t, (request) => (isThere ? answer(request, 9000) : undefined))
  const told: number[] = []
  const stop = followTime(server, (offsetMs) => told.push(offsetMs), { intervalMs: 20, retryMs: 5, timeoutMs: 10 })
  for (let i = 0; i < 100 && server.asked() < 3; i++) await sleep(10)
  t.ok(server.asked() >= 3)
  t.strictSame(told, [])
  isThere = true
  for (let i = 0; i < 200 && told.length === 0; i++) await sleep(10)
  t.equal(Math.round((told[0] ?? 0) / 1000), 9)
  stop()
})
