import t from 'tap'
import { HandshakeGate } from '../../src/atedb/handshake-gate.js'
import { SocketLimit } from '../../src/atedb/socket-limit.js'
import { failure } from '../helpers/wire.js'

const LIMITS = { atOnce: 4, atOncePerAddress: 2, waiting: 4, waitingPerAddress: 3 }
const [A, B, C] = ['192.0.2.1', '192.0.2.2', '2001:db8::1']

t.test('one address has a part of the handshakes, and its next ones wait for those before', async (t) => {
  const gate = new HandshakeGate(LIMITS)
  const order: string[] = []
  const enter = async (name: string, address: string): Promise<() => void> => {
    const leave = await gate.enter(address)
    order.push(name)
    return leave
  }
  const [a1, a2] = await Promise.all([enter('a1', A), enter('a2', A)])
  const a3 = enter('a3', A)
  const b1 = await enter('b1', B)
  t.same(order, ['a1', 'a2', 'b1'], 'nobody waits for those of another address')
  t.equal(gate.waiting, 1)
  b1()
  t.equal(gate.underWay, 2)
  a1()
  a1()
  ;(await a3)()
  a2()
  t.same(order, ['a1', 'a2', 'b1', 'a3'])
  t.equal(gate.underWay, 0, 'leaving counts once')
})

t.test('no more than the limit go on at once, and too many are turned away', async (t) => {
  const gate = new HandshakeGate(LIMITS)
  const first = await Promise.all([A, A, B, B].map((address) => gate.enter(address)))
  t.equal(gate.underWay, 4)
  const waiting = [gate.enter(C), gate.enter(A), gate.enter(A), gate.enter(A)]
  t.equal(await failure(gate.enter(C)), 'LAGGED', 'all places to wait are taken')
  first[2]?.()
  const leave = await waiting[0]
  t.equal(gate.underWay, 4)
  t.equal(await failure(gate.enter(A)), 'LAGGED', 'one address may have three')
  leave?.()
  for (const each of first) each()
  for (const each of waiting.slice(1)) (await each)()
  t.equal(gate.underWay, 0)
  t.equal(gate.waiting, 0)
})

t.test('sockets of one address are counted, and given back', (t) => {
  const limit = new SocketLimit(2)
  const gone: (() => void)[] = []
  const admit = (address: string): boolean => limit.admit(address, (listener) => gone.push(listener))
  t.same([admit(A), admit(`::ffff:${A}`), admit(A)], [true, true, false], 'IPv4 in both spellings is one address')
  t.same(
    [admit('2001:db8::1'), admit('2001:db8::2'), admit('2001:db8:0:0:1::'), admit('2001:db8:0:1::1')],
    [true, true, false, true],
  )
  t.equal(limit.open, 5)
  t.equal(limit.refused, 2)
  for (const each of gone) each()
  t.equal(limit.open, 0)
  t.ok(admit(A))
  t.end()
})
