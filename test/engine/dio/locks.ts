/** Locks with owners and leases. */
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '../../../src/engine/error.js'
import { onEveryChain } from '../../helpers/every-chain.js'

await onEveryChain('a lock has one owner at a time, and who waits is served in order', async (t, open) => {
  await using chain = await open()
  const first = chain.tryLock('a')
  t.ok(first)
  t.equal(chain.tryLock('a'), undefined)
  t.ok(chain.tryLock('b'), 'another name is another lock')
  const order: number[] = []
  const waiting = [1, 2, 3].map(async (number) => {
    using lock = await chain.lock('a')
    order.push(number)
    await sleep(1)
    return lock.fence
  })
  await sleep(5)
  t.strictSame(order, [])
  first?.unlock()
  const fences = await Promise.all(waiting)
  t.strictSame(order, [1, 2, 3])
  t.strictSame(fences, [...fences].sort((a, b) => a - b)) // prettier-ignore
})

await onEveryChain('a lease that runs out is another one’s, and the old owner releases nothing', async (t, open) => {
  await using chain = await open()
  const old = await chain.lock('a', { leaseMs: 10 })
  const next = await chain.lock('a')
  t.notOk(old.isHeld)
  t.ok(next.fence > old.fence)
  t.throws(() => old.extend(), { code: 'LOCK_LOST' })
  old.unlock()
  t.ok(next.isHeld)
  t.equal(chain.tryLock('a'), undefined)
})

await onEveryChain('an extended lease lasts', async (t, open) => {
  await using chain = await open()
  const lock = await chain.lock('a', { leaseMs: 60 })
  for (let i = 0; i < 5; i++) {
    await sleep(20)
    lock.extend()
  }
  t.ok(lock.isHeld)
})

await onEveryChain('waiting ends in time, when it is given up, and with the chain', async (t, open) => {
  const chain = await open()
  const held = await chain.lock('a')
  await t.rejects(chain.lock('a', { timeoutMs: 5 }), { code: 'TIMED_OUT' })
  await t.rejects(chain.lock('a', { signal: AbortSignal.abort() }), { code: 'ABORTED' })
  const waiting = t.rejects(chain.lock('a'), { code: 'CHAIN_CLOSED' })
  await chain.close()
  await waiting
  t.notOk(held.isHeld)
})

await onEveryChain('however many wait, the end of the chain refuses all', async (t, open) => {
  const chain = await open()
  await chain.lock('a')
  const waiting = Array.from({ length: 5 }, () => chain.lock('a'))
  const all = Promise.allSettled(waiting)
  await chain.close()
  const codes = (await all).map((end) => (end.status === 'rejected' ? errorCode(end.reason) : 'served'))
  t.strictSame(
    codes,
    Array.from({ length: 5 }, () => 'CHAIN_CLOSED'),
  )
})

await onEveryChain('who gives up as it is his turn keeps nobody else from it', async (t, open) => {
  await using chain = await open()
  const held = await chain.lock('a')
  const patience = new AbortController()
  const unsure = chain.lock('a', { signal: patience.signal }).then(
    (lock) => lock.unlock(),
    () => undefined,
  )
  const next = chain.lock('a', { timeoutMs: 1000 })
  held.unlock()
  patience.abort()
  await unsure
  t.ok((await next).isHeld)
})

await onEveryChain('who comes when a lock is passed on comes after who waited', async (t, open) => {
  await using chain = await open()
  const held = await chain.lock('a')
  const waiting = chain.lock('a')
  held.unlock()
  t.equal(chain.tryLock('a'), undefined)
  t.ok((await waiting).isHeld)
})

await onEveryChain('a lease may be for ever, or for longer than a timer runs', async (t, open) => {
  await using chain = await open()
  const locks = await Promise.all([Infinity, 2 ** 31].map((leaseMs) => chain.lock(`${leaseMs}`, { leaseMs })))
  const waiting = chain.lock('2147483648', { timeoutMs: 2 ** 40 })
  await sleep(20)
  t.ok(locks.every(({ isHeld }) => isHeld))
  for (const lock of locks) lock.unlock()
  t.ok((await waiting).isHeld)
})
