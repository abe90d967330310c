/** Who was cut off does not take what he knew for what is: in the strict modes a turn counts as long as the server answers. */
import t from 'tap'
import { middleman } from '../helpers/middleman.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually, machine, type Served, store, texts } from '../helpers/remote-chains.js'
import { failure } from '../helpers/wire.js'

/** A way to the server on which everything is lost from one moment on, and nobody is told. */
function silentWay(server: TestServer): Served & { isSilent: boolean } {
  const way = {
    isSilent: false,
    chains: server.stores.chains,
    dial: () => {
      if (way.isSilent) return new Promise<never>(() => undefined)
      const { client, server: there } = middleman((packet) => (way.isSilent ? [] : [packet]))
      server.accept(there)
      return Promise.resolve(client)
    },
  }
  return way
}

await t.test('who had the turn when the line fell silent reads nothing old, and changes nothing', async (t) => {
  const server = new TestServer()
  const way = silentWay(server)
  const strict = { recoveryMode: 'sync', leaseMs: 150, patienceMs: 300 } as const
  const cutOff = await machine(way, strict)
  const other = await machine(server, { keys: cutOff.keys, ...strict })
  t.teardown(async () => {
    for (const each of [cutOff, other]) await each.kill()
    await server.close()
  })
  await store(cutOff, 'first')
  await cutOff.remote.accepted()
  t.ok(cutOff.remote.status().hasTurn)
  await cutOff.remote.refresh()
  way.isSilent = true
  // The server gives the turn to another one after a while.
  await eventually(() =>
    store(other, 'second').then(
      () => true,
      () => false,
    ),
  )
  await other.remote.accepted()
  t.strictSame(await texts(cutOff), ['first'], 'nobody could tell')
  await t.rejects(cutOff.remote.refresh(), { code: 'TIMED_OUT' })
  await t.rejects(store(cutOff, 'third'), { code: 'TIMED_OUT' })
  t.strictSame(await texts(other), ['first', 'second'])
})

await t.test('a turn is asked about now and then, by who has it and uses it, and stays his', async (t) => {
  const server = new TestServer()
  const one = await machine(server, { recoveryMode: 'sync', leaseMs: 20 })
  const other = await machine(server, { keys: one.keys, recoveryMode: 'sync', leaseMs: 20 })
  t.teardown(async () => {
    for (const each of [one, other]) await each.close()
    await server.close()
  })
  for (let i = 0; i < 30; i++) {
    await store(one, `one ${i}`)
    if (i % 10 === 9) await store(other, `other ${i}`)
    await one.remote.refresh()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await one.remote.accepted()
  await other.remote.accepted()
  await eventually(async () => (await texts(one)).length === 33 && (await texts(other)).length === 33)
  t.strictSame(await texts(one), await texts(other))
})

await t.test('a server that waits for who has the turn is not silent: who asks next waits for it, too', async (t) => {
  const server = new TestServer({ graceMs: 10_000 })
  const one = await machine(server)
  const other = await machine(server, { keys: one.keys, recoveryMode: 'sync' })
  t.teardown(async () => {
    for (const each of [one, other]) await each.close()
    await server.close()
  })
  await store(one, 'first')
  await one.remote.accepted()
  await eventually(async () => (await texts(other)).length === 1)
  const letGo = one.remote.hold()
  const ask = (): Promise<string> => failure(other.remote.refresh({ everything: true }))
  for (let time = 0; time < 2; time++) t.equal(await ask(), 'TIMED_OUT')
  const asked = ask()
  await new Promise((resolve) => setTimeout(resolve, 50))
  letGo()
  t.equal(await asked, 'resolved')
})
