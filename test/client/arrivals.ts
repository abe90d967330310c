/** Whoever waits for something of a server is told when it does not come. */
import t from 'tap'
import { Arrivals } from '../../src/client/arrivals.js'
import { Relay } from '../helpers/relay.js'
import { eventually, machine, store } from '../helpers/remote-chains.js'

await t.test('who waits for what was on its way is told when the connection ends, before and after', async (t) => {
  const arrivals = new Arrivals({
    isSigned: false,
    take: () => Promise.resolve(),
    onFailure: (error) => void t.error(error),
  })
  await arrivals.drained()
  arrivals.afterwards(() => new Promise(() => undefined))
  const waiting = arrivals.drained()
  arrivals.end()
  await t.rejects(waiting, { code: 'CONNECTION_LOST' })
  await t.rejects(arrivals.drained(), { code: 'CONNECTION_LOST' })
})

for (const recoveryMode of ['readonly-async', 'sync'] as const)
  await t.test(`a refresh ends when the connection does, or the time is over (${recoveryMode})`, async (t) => {
    const relay = new Relay()
    const one = await machine(relay)
    const stuck = { isStuck: false, patienceMs: 100 }
    const options = { keys: one.keys, recoveryMode, patienceMs: stuck.patienceMs }
    const other = await machine(relay, {
      ...options,
      receive: () => {
        stuck.isStuck = true
        return new Promise(() => undefined)
      },
    })
    await store(one, 'never taken in')
    await eventually(() => stuck.isStuck)
    const refreshing = (): Promise<void> => other.remote.refresh()
    const check = (waiting: Promise<void>): Promise<unknown> =>
      recoveryMode === 'sync' ? t.rejects(waiting, { code: 'TIMED_OUT' }) : waiting
    await check(refreshing())
    const waiting = refreshing()
    await new Promise((resolve) => setTimeout(resolve, 20))
    relay.cut()
    await check(waiting)
    await one.close()
    await other.kill()
  })
