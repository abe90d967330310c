/** Chains of a server that are compacted: whatever is interrupted, nothing is lost, and the space goes everywhere in the end. */
import t, { type Test } from 'tap'
import { dropsInLog, MemoryStorage, readBatches } from '../../src/engine/log/index.js'
import { errorCode } from '../../src/index.js'
import type { TrustMode } from '../../src/sync/requests.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually, type Machine, machine, memoryState, Note, store, texts } from '../helpers/remote-chains.js'
import { seededRandom } from '../helpers/seeded-random.js'
import { crypto } from '../helpers/wire.js'

const SEGMENT_BYTES = 48 * 1024
const TEXT_LENGTH = 15_000
const options = { segmentBytes: SEGMENT_BYTES, patienceMs: 5000 }
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const textOf = (name: string): string => name.padEnd(TEXT_LENGTH, name)

async function serverOf(t: Test, trust?: TrustMode): Promise<TestServer> {
  const server = new TestServer({}, trust)
  t.teardown(() => server.close())
  return server
}

async function removeSome({ chain }: Machine, isDead: (text: string) => boolean): Promise<void> {
  for await (const { key, text } of chain.dio().roots(Note))
    if (isDead(text)) await chain.transact((dio) => dio.delete(key))
}

/** Numbers of the bodies that the log has no bytes of any more, and of those that its batches drop. */
async function space(
  machine: Pick<Machine, 'keys'>,
  storage: MemoryStorage,
): Promise<{ gone: number[]; dropped: number[] }> {
  const source = { storage, crypto, keys: machine.keys }
  const end = 1_000_000
  const gone: number[] = []
  const dropped: number[] = []
  try {
    for await (const { missing } of readBatches(source, 1, end)) gone.push(...missing.map(({ number }) => number))
  } catch (error) {
    if (errorCode(error) !== 'BAD_ARGUMENT') throw error
  }
  for await (const { numbers } of dropsInLog(source, 1, end))
    for (const { from, to } of numbers) for (let body = from; body <= to; body++) dropped.push(body)
  return { gone: gone.sort((a, b) => a - b), dropped: [...new Set(dropped)].sort((a, b) => a - b) }
}

/** Eight of twelve notes are deleted, and their space is given back here. */
async function compactMost(
  t: Test,
  one: Machine,
): Promise<{ here: { gone: number[]; dropped: number[] }; bodies: number }> {
  await removeSome(one, (text) => /^note [0-7] /.test(text))
  const { bodies, freedBytes, isDeferred } = await one.chain.compact()
  t.notOk(isDeferred)
  t.ok(bodies >= 4, `${bodies} bodies`)
  t.ok(freedBytes >= bodies * TEXT_LENGTH, `${freedBytes} bytes`)
  return { here: await space(one, one.storage), bodies }
}

await t.test('what one drops goes at the server and in all copies, also in those that come later', async (t) => {
  const server = await serverOf(t)
  const one = await machine(server, options)
  for (let i = 0; i < 12; i++) await store(one, textOf(`note ${i} `))
  const other = await machine(server, { ...options, keys: one.keys })
  const { here, bodies } = await compactMost(t, one)
  t.equal(here.dropped.length, bodies)
  t.strictSame(here.gone, here.dropped)
  await eventually(async () => (await space(one, other.storage)).gone.join() === here.gone.join())
  t.strictSame(await texts(other), await texts(one))
  await server.restart()
  const late = await machine(server, { ...options, keys: one.keys })
  t.strictSame(await texts(late), await texts(one))
  t.strictSame((await space(one, late.storage)).gone, here.gone, 'they have not come')
  await store(late, 'goes on')
  await eventually(async () => (await texts(one)).includes('goes on'))
  t.equal((await other.chain.compact()).bodies, 0, 'nothing is left for others')
  for (const each of [one, other, late]) await each.close()
})

await t.test(
  'of distributed trust all copies give it back when they have judged it, and the server keeps it',
  async (t) => {
    const server = await serverOf(t, 'distributed')
    const distributed = { ...options, trust: 'distributed' } as const
    const one = await machine(server, distributed)
    for (let i = 0; i < 12; i++) await store(one, textOf(`note ${i} `))
    const other = await machine(server, { ...distributed, keys: one.keys })
    const { here } = await compactMost(t, one)
    t.strictSame(here.gone, here.dropped)
    await eventually(async () => (await space(one, other.storage)).gone.join() === here.gone.join())
    t.strictSame(await texts(other), await texts(one))
    const late = await machine(server, { ...distributed, keys: one.keys })
    t.strictSame(await texts(late), await texts(one))
    await eventually(async () => (await space(one, late.storage)).gone.join() === here.gone.join())
    await store(late, 'goes on')
    await eventually(async () => (await texts(one)).includes('goes on'))
    await removeSome(other, (text) => /^note 8 /.test(text))
    t.ok((await other.chain.compact()).bodies > 0, 'and the next one')
    await eventually(() => one.remote.status().headSequence === other.remote.status().headSequence)
    t.strictSame(await texts(one), await texts(other))
    for (const each of [one, other, late]) await each.close()
  },
)

await t.test('who reads an older state goes on with it, and its space goes afterwards', async (t) => {
  const server = await serverOf(t)
  const one = await machine(server, options)
  for (let i = 0; i < 8; i++) await store(one, textOf(`note ${i} `))
  const other = await machine(server, { ...options, keys: one.keys })
  const before = other.chain.dio()
  await removeSome(one, (text) => /^note [0-4] /.test(text))
  t.ok((await one.chain.compact()).bodies > 0)
  await eventually(() => other.remote.status().headSequence === one.remote.status().headSequence)
  // Its index takes in the drop.
  t.equal((await other.chain.compact()).freedBytes, 0)
  const seen: string[] = []
  for await (const { text } of before.roots(Note)) seen.push(text)
  t.equal(seen.length, 8)
  t.strictSame((await space(one, other.storage)).gone, [])
  await one.close()
  await other.close()
})

await t.test(
  'whatever is cut, killed and restarted on the way: nothing is lost, and it is done in the end',
  async (t) => {
    const random = seededRandom(11)
    for (let round = 0; round < 6; round++) {
      const server = await serverOf(t)
      const state = memoryState()
      const storage = new MemoryStorage()
      let one = await machine(server, { ...options, state, storage })
      const { keys } = one
      const other = await machine(server, { ...options, keys })
      for (let i = 0; i < 10; i++) await store(i % 2 === 0 ? one : other, textOf(`note ${i} `))
      await removeSome(one, (text) => /^note [0-5] /.test(text))
      await one.remote.accepted()
      const compacting = one.chain.compact().catch(() => undefined)
      await pause(random() * 30)
      if (round % 3 === 0) server.cut()
      if (round % 3 === 1) await server.restart()
      if (round % 3 === 2) {
        await one.kill()
        one = await machine(server, { ...options, keys, state, storage })
      }
      await compacting
      await eventually(() => one.remote.status().isConnected)
      await one.chain.compact()
      const kept = Array.from({ length: 4 }, (_, i) => textOf(`note ${i + 6} `))
      t.strictSame(await texts(one), kept)
      await eventually(async () => (await texts(other)).length === 4)
      t.strictSame(await texts(other), kept)
      const { gone, dropped } = await space(one, one.storage)
      t.ok(dropped.length >= 4, `${dropped.length} are dropped`)
      t.strictSame(gone, dropped, 'the space here')
      await eventually(async () => (await space(one, other.storage)).gone.join() === dropped.join())
      await server.restart()
      const late = await machine(server, { ...options, keys })
      t.strictSame((await space(one, late.storage)).gone, dropped, 'the space at the server')
      t.strictSame(await texts(late), kept)
      for (const each of [one, other, late]) await each.close()
    }
  },
)
