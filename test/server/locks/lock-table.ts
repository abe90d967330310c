/** The table of locks at a server: sessions that come and go, waits that end, and bounds for all of it. */
import t from 'tap'
import { LockTable, type LockTableOptions, MAX_LOCK_WAITS } from '../../../src/server/locks/lock-table.js'
import { MAX_LOCKS } from '../../../src/sync/limits.js'
import { ManualTimers } from '../../helpers/wire.js'

const END = Number.MAX_SAFE_INTEGER
const bytes = (length: number, name: number): Uint8Array => new Uint8Array(length).fill(name)

function table(options: Partial<LockTableOptions> = {}) {
  let leases = 0
  const timers = new ManualTimers()
  const locks = new LockTable({ timers, graceMs: 10_000, newLease: () => bytes(16, ++leases), ...options })
  const join = (name: number, lease: Uint8Array | null = null) => {
    const user = {}
    return { user, lease: locks.attach(user, bytes(16, name), lease), name }
  }
  return { locks, timers, join }
}

const wish = (owner: number, from = 0, to = END, isExclusive = true) => ({
  file: bytes(16, 1),
  owner: bytes(8, owner),
  from,
  to,
  isExclusive,
})
const waits = (ticket: number) => ({ ticket, detects: true })

t.test('those who wait get it in the order of asking, and shared ones together', async (t) => {
  const { locks, join } = table()
  const [a, b] = [join(1), join(2)]
  t.equal(locks.lock(a.user, wish(1)), 'granted')
  const order: string[] = []
  const note = (what: string, outcome: unknown): Promise<unknown> =>
    Promise.resolve(outcome).then((got) => order.push(`${what} ${String(got)}`))
  const all = [
    note('first', locks.lock(b.user, wish(1, 0, 9, false), waits(1))),
    note('second', locks.lock(b.user, wish(2, 5, 9, false), waits(2))),
    note('third', locks.lock(b.user, wish(3), waits(3))),
  ]
  t.equal(locks.unlock(a.user, wish(1)), 'granted')
  await Promise.all(all.slice(0, 2))
  t.strictSame(order, ['first granted', 'second granted'])
  locks.unlock(b.user, wish(1))
  locks.unlock(b.user, wish(2))
  await Promise.all(all)
  t.strictSame(order.slice(2), ['third granted'])
  t.ok(locks.isUsed)
  locks.leave(b.user, true)
  t.notOk(locks.isUsed)
})

t.test('one that gives back a part of what it has lets others in', async (t) => {
  const { locks, join } = table()
  const [a, b] = [join(1), join(2)]
  void locks.lock(a.user, wish(1))
  const waiting = locks.lock(b.user, wish(1, 3, 4, false), waits(1))
  t.equal(locks.lock(a.user, wish(1, 0, 9, false)), 'granted')
  t.equal(await waiting, 'granted')
})

t.test('the locks of a lost connection are kept for its session, and then are gone', async (t) => {
  const { locks, timers, join } = table()
  const [a, b] = [join(1), join(2)]
  void locks.lock(a.user, wish(1))
  locks.leave(a.user, false)
  await timers.pass(9000)
  t.equal(locks.lock(b.user, wish(1)), 'held')
  t.equal(locks.lock(a.user, wish(1)), 'no-lease')
  const again = join(1, a.lease)
  t.strictSame(again.lease, a.lease)
  await timers.pass(100_000)
  t.equal(locks.lock(b.user, wish(1)), 'held', 'it is there')
  locks.leave(again.user, false)
  const waiting = locks.lock(b.user, wish(1), waits(1))
  await timers.pass(10_000)
  t.equal(await waiting, 'granted')
  t.not(join(1, a.lease).lease, a.lease)
  locks.close()
})

t.test('a session that begins anew has nothing of before; one that moves gives up its waits', async (t) => {
  const { locks, join } = table()
  const [a, b] = [join(1), join(2)]
  void locks.lock(a.user, wish(1))
  const waiting = locks.lock(b.user, wish(1), waits(1))
  const moved = join(2, b.lease)
  t.equal(await waiting, 'given-up')
  t.equal(locks.lock(b.user, wish(1)), 'no-lease')
  join(1)
  t.equal(locks.lock(moved.user, wish(1)), 'granted')
})

t.test('a wait that is given up, or whose connection is lost, is granted to nobody', async (t) => {
  const { locks, join } = table()
  const [a, b] = [join(1), join(2)]
  void locks.lock(a.user, wish(1))
  const waiting = locks.lock(b.user, wish(1), waits(5))
  locks.giveUp(b.user, 4)
  locks.giveUp(a.user, 5)
  locks.giveUp(b.user, 5)
  t.equal(await waiting, 'given-up')
  const other = locks.lock(b.user, wish(1), waits(6))
  locks.leave(b.user, false)
  t.equal(await other, 'given-up')
  locks.unlock(a.user, wish(1))
  t.notOk(locks.isUsed)
})

t.test('who would wait for himself through others is told, where that is asked', async (t) => {
  const { locks, join } = table()
  const all = [1, 2, 3].map((name) => join(name).user)
  const [a = {}, b = {}, c = {}] = all
  all.forEach((user, i) => void locks.lock(user, wish(1, i, i)))
  const waiting = [locks.lock(a, wish(1, 1, 1), waits(1)), locks.lock(b, wish(1, 2, 2), waits(1))]
  t.equal(await locks.lock(c, wish(1, 0, 0), waits(1)), 'deadlock')
  const silent = locks.lock(c, wish(1, 0, 0), { ticket: 2, detects: false })
  locks.giveUp(c, 2)
  t.equal(await silent, 'given-up')
  locks.unlock(c, wish(1))
  t.equal(await waiting[1], 'granted')
  locks.unlock(b, wish(1))
  t.equal(await waiting[0], 'granted')
})

t.test('a session has so many locks and waits, and no more', async (t) => {
  const { locks, join } = table()
  const [a, b] = [join(1), join(2)]
  for (let i = 0; i < MAX_LOCKS; i++) void locks.lock(a.user, wish(1, 2 * i, 2 * i))
  t.equal(locks.lock(a.user, wish(1, 1, 1)), 'too-many')
  locks.unlock(a.user, wish(1, 0, 9))
  t.equal(locks.lock(a.user, wish(1, 1, 1)), 'granted')
  const waiting = Array.from({ length: MAX_LOCK_WAITS }, async (_, i) => locks.lock(b.user, wish(i), waits(i + 1)))
  t.equal(locks.lock(b.user, wish(200), waits(200)), 'too-many')
  locks.leave(b.user, true)
  t.strictSame(new Set(await Promise.all(waiting)), new Set(['given-up']))
})

t.test('the first lock in the way is told, and whether it is of the same session', (t) => {
  const { locks, join } = table()
  const [a, b] = [join(1), join(2)]
  void locks.lock(a.user, wish(1, 50, 60))
  void locks.lock(b.user, wish(7, 10, 20, false))
  t.match(locks.test(a.user, wish(2)), { owner: bytes(8, 7), from: 10, to: 20, isExclusive: false, isOwn: false })
  t.match(locks.test(a.user, wish(2, 30)), { owner: bytes(8, 1), from: 50, to: 60, isOwn: true })
  t.equal(locks.test(a.user, wish(2, 10, 20, false)), undefined)
  t.end()
})

t.test('the locks of a session that is over go to others when it cannot come back any more', async (t) => {
  const struck: (() => void)[] = []
  const { locks, timers, join } = table({ struck: () => new Promise((resolve) => struck.push(resolve)) })
  const [a, b] = [join(1), join(2)]
  t.ok(locks.list(a.user))
  void locks.lock(a.user, wish(1))
  locks.leave(a.user, false)
  await timers.pass(10_000)
  const again = join(1, a.lease)
  t.not(again.lease, a.lease, 'it is over')
  t.equal(locks.lock(b.user, wish(1)), 'held')
  t.equal(locks.lock(again.user, wish(1)), 'held', 'what it had is not its own any more')
  struck.forEach((resolve) => resolve())
  await timers.pass(0)
  t.equal(locks.lock(b.user, wish(1)), 'granted')
  t.equal(locks.lock(again.user, wish(1)), 'held')
})

t.test('who comes back after a restart tells what he had once, while he is waited for', (t) => {
  const { locks, join } = table()
  const [one, two, three] = [1, 2, 3].map((name) => ({ session: bytes(16, name), lease: bytes(16, 100 + name) }))
  if (one === undefined || two === undefined || three === undefined) return t.end()
  locks.expect([one, two, three])
  const back = (name: number) => join(name, bytes(16, 100 + name))
  const a = back(1)
  t.strictSame(a.lease, one.lease)
  t.ok(locks.isReturning(a.user))
  t.equal(locks.reclaim(a.user, [wish(1, 0, 9), wish(2, 10, 19, false)]), 'granted')
  t.equal(locks.reclaim(a.user, [wish(1, 20, 29)]), 'no-lease', 'once')
  const b = back(2)
  t.equal(locks.reclaim(b.user, [wish(1, 30, 39), wish(1, 5, 5)]), 'no-lease', 'what another one has')
  t.equal(locks.lock(b.user, wish(1, 30, 39)), 'no-lease')
  t.equal(locks.lock(a.user, wish(1, 30, 39)), 'granted', 'nothing of it is left')
  const stranger = join(4)
  t.notOk(locks.isReturning(stranger.user))
  t.equal(locks.reclaim(stranger.user, []), 'no-lease')
  const c = back(3)
  locks.leave(c.user, false)
  t.ok(locks.isExpecting, 'who is lost again before he has told')
  t.strictSame(back(3).lease, three.lease)
  locks.expectNobody()
  t.notOk(locks.isExpecting)
  t.not(back(3).lease, three.lease)
  t.strictSame(locks.leases({ isHolding: true }), [one])
  t.end()
})
