/** Copies that have the batches of a chain without their content, and fetch what is read. */
import t, { type Test } from 'tap'
import { errorCode, type ObjectKey } from '../../src/index.js'
import type { Transport, TransportEvents } from '../../src/wire/index.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually, type Machine, machine, Note, store, texts } from '../helpers/remote-chains.js'

const MIB = 1024 * 1024
const options = { patienceMs: 2000 }
const textOf = (name: string, length = 15_000): string => name.padEnd(length, name)

async function serverOf(t: Test): Promise<TestServer> {
  const server = new TestServer()
  t.teardown(() => server.close())
  return server
}

/** A way to the server on which is counted what comes. */
function counting(server: TestServer): { dial: TestServer['dial']; chains: { has: () => boolean }; received: number } {
  const counted = {
    received: 0,
    chains: { has: () => true },
    dial: async (): Promise<Transport> => {
      const transport = await server.dial()
      const start = transport.start.bind(transport)
      transport.start = (events: TransportEvents): void =>
        start({
          ended: (error) => events.ended(error),
          packet: (bytes) => {
            counted.received += bytes.length
            events.packet(bytes)
          },
        })
      return transport
    },
  }
  return counted
}

async function storeAll(one: Machine, count: number, length = 15_000): Promise<ObjectKey[]> {
  const keys: ObjectKey[] = []
  for (let i = 0; i < count; i++) keys.push((await store(one, textOf(`note ${i} `, length))).key)
  await one.chain.sync()
  return keys
}

async function textAt({ chain }: Machine, key: ObjectKey): Promise<string> {
  return (await chain.dio().load(Note, key)).text
}

await t.test(
  'a chain with 64 MiB of content is opened with its metadata; what is read comes, and about that',
  async (t) => {
    const server = await serverOf(t)
    const one = await machine(server, options)
    const keys = await storeAll(one, 64, MIB)
    const way = counting(server)
    const lazy = await machine(way, { ...options, keys: one.keys, isLazy: true })
    t.ok(way.received < 2 * MIB, `${way.received} bytes to open it`)
    const opened = way.received
    const [key, next] = [keys[20], keys[21]]
    if (key === undefined || next === undefined) throw new Error('there is nothing to read')
    t.equal(await textAt(lazy, key), textOf('note 20 ', MIB))
    const read = way.received - opened
    t.ok(read >= MIB && read < 1.7 * MIB, `${read} bytes to read 1 MiB`)
    t.equal(await textAt(lazy, key), textOf('note 20 ', MIB))
    t.equal(way.received - opened, read, 'what was read is kept')
    await Promise.all(Array.from({ length: 8 }, () => textAt(lazy, next)))
    t.ok(way.received - opened < 3.4 * MIB, 'who reads the same shares what comes')
    for (const each of [lazy, one]) await each.close()
  },
)

await t.test(
  'it commits, takes in what others commit, and reads all of it, also where a connection is lost',
  async (t) => {
    const server = await serverOf(t)
    const one = await machine(server, options)
    await storeAll(one, 5)
    const lazy = await machine(server, { ...options, keys: one.keys, isLazy: true })
    await store(lazy, textOf('by the lazy one '))
    await store(one, textOf('while it is there '))
    await eventually(() => lazy.remote.status().headSequence === one.remote.status().headSequence)
    server.cut()
    t.strictSame(await texts(lazy), await texts(one))
    await server.restart()
    await store(one, textOf('behind a restart '))
    await eventually(() => lazy.remote.status().headSequence === one.remote.status().headSequence)
    t.strictSame(await texts(lazy), await texts(one))
    for (const each of [lazy, one]) await each.close()
  },
)

await t.test(
  'while the server is away what was read can be read, and the rest is BODY_AWAY in a bounded time',
  async (t) => {
    const server = await serverOf(t)
    const one = await machine(server, options)
    const [key, other] = await storeAll(one, 2)
    if (key === undefined || other === undefined) throw new Error('there is nothing to read')
    const lazy = await machine(server, { keys: one.keys, isLazy: true, patienceMs: 200 })
    t.equal(await textAt(lazy, key), textOf('note 0 '))
    server.isAway = true
    server.cut()
    t.equal(await textAt(lazy, key), textOf('note 0 '))
    const began = performance.now()
    await t.rejects(textAt(lazy, other), { code: 'BODY_AWAY' })
    t.ok(performance.now() - began < 2000)
    server.isAway = false
    await eventually(async () => {
      try {
        return (await textAt(lazy, other)) === textOf('note 1 ')
      } catch (error) {
        if (errorCode(error) !== 'BODY_AWAY') throw error
        return false
      }
    })
    for (const each of [lazy, one]) await each.close()
  },
)

await t.test('what is closed while somebody reads says so', async (t) => {
  const server = await serverOf(t)
  const one = await machine(server, options)
  const [key] = await storeAll(one, 1)
  if (key === undefined) throw new Error('there is nothing to read')
  const lazy = await machine(server, { ...options, keys: one.keys, isLazy: true })
  server.isAway = true
  server.cut()
  const reading = textAt(lazy, key)
  const [read] = await Promise.allSettled([reading, lazy.close()])
  t.match(read, { status: 'rejected', reason: { code: 'CHAIN_CLOSED' } })
  await one.kill()
})

await t.test(
  'an older state whose content was dropped meanwhile is BODY_GONE, and the current one is read',
  async (t) => {
    const server = await serverOf(t)
    const small = { ...options, segmentBytes: 48 * 1024 }
    const one = await machine(server, small)
    const [first, ...rest] = await storeAll(one, 12)
    if (first === undefined) throw new Error('there is nothing to read')
    const lazy = await machine(server, { ...small, keys: one.keys, isLazy: true })
    const before = lazy.chain.dio()
    for (const key of [first, ...rest.slice(0, 7)]) await one.chain.transact((dio) => dio.delete(key))
    t.ok((await one.chain.compact()).freedBytes > 0)
    await eventually(() => lazy.remote.status().headSequence === one.remote.status().headSequence)
    await t.rejects(before.load(Note, first), { code: 'BODY_GONE' })
    t.strictSame(await texts(lazy), await texts(one))
    for (const each of [lazy, one]) await each.close()
  },
)
