/** Locks of a chain that several machines have: one owner at a time, released by nobody else, and free when that is gone. */
import t from 'tap'
import type { ChainLock } from '../../src/engine/dio/locks.js'
import { Relay } from '../helpers/relay.js'
import { machine, type Machine } from '../helpers/remote-chains.js'

const MOST_LEASE_MS = 8000

await t.test('a lock has one owner among all machines, and goes to the next', async (t) => {
  const relay = new Relay()
  const one = await machine(relay)
  const other = await machine(relay, { keys: one.keys })
  const lock = await one.chain.lock('door')
  await t.rejects(other.chain.lock('door', { timeoutMs: 250 }), { code: 'TIMED_OUT' })
  await t.rejects(one.chain.lock('door', { timeoutMs: 0 }), { code: 'TIMED_OUT' }, 'not even the same machine')
  t.throws(() => other.chain.tryLock('door'), { code: 'NOT_SUPPORTED' })
  const waiting = other.chain.lock('door', { timeoutMs: 5000 })
  lock.unlock()
  const next = await waiting
  t.ok(next.fence > lock.fence)
  t.ok(next.isHeld)
  lock.unlock()
  await t.rejects(one.chain.lock('door', { timeoutMs: 250 }), { code: 'TIMED_OUT' }, 'it is not his to release')
  await other.close()
  const last = await one.chain.lock('door', { timeoutMs: 5000 })
  t.ok(last.fence > next.fence, 'released with the chain')
  await one.close()
})

/** With the first of twice as long leases that this machine, as busy as it is, has time to extend: held for longer than one of them. */
async function extended({ chain, remote }: Machine): Promise<{ lock: ChainLock; leaseMs: number }> {
  for (let leaseMs = 500; leaseMs <= MOST_LEASE_MS; leaseMs *= 2) {
    const lock = await chain.lock('door', { leaseMs })
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0.6 * leaseMs))
    await pause()
    if (lock.isHeld) lock.extend()
    await remote.accepted()
    await pause()
    if (lock.isHeld) return { lock, leaseMs }
  }
  throw new Error('no lock is held for longer than its lease')
}

await t.test('the lock of a machine that is gone is free when its lease is over, and not before', async (t) => {
  const relay = new Relay()
  relay.keepMs = 20
  const one = await machine(relay)
  const other = await machine(relay, { keys: one.keys })
  const { lock, leaseMs } = await extended(one)
  await one.link.close()
  const began = performance.now()
  const next = await other.chain.lock('door', { timeoutMs: 4 * MOST_LEASE_MS })
  t.ok(performance.now() - began > leaseMs)
  t.notOk(lock.isHeld, 'its owner knows before')
  t.ok(next.isHeld)
  await one.kill()
  await other.close()
})
