/** A connection that ends behind any byte of what one side sends: whoever comes back goes on there, without a gap or a repeat. */
import t, { type Test } from 'tap'
import type { BatchBytes } from '../../src/engine/log/index.js'
import type { ChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { decodeBatch } from '../../src/engine/log/received-batch.js'
import type { ChaosProxy } from '../helpers/chaos/proxy.js'
import { serverBehindProxy } from '../helpers/chaos/server-behind-proxy.js'
import type { TestServer } from '../helpers/real-server.js'
import { eventually, type Machine, machine, type MachineOptions, Note, store, texts } from '../helpers/remote-chains.js'

const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined
const CUTS = IS_LONG ? 400 : 10

interface Way {
  server: TestServer
  proxy: ChaosProxy
  join: (options?: MachineOptions) => Promise<Machine>
}

async function wayTo(t: Test): Promise<Way> {
  const { server, proxy, served } = await serverBehindProxy(t)
  return { server, proxy, join: (options) => machine(served, { patienceMs: 10_000, ...options }) }
}

/** Small ones, and some that come in several parts. */
const lengths = [10, 20, 30, 1_200_000, 40, 300_000, 50, 60]

/** From the first byte to the last, closer where messages begin. */
function cutPoints(total: number): number[] {
  return Array.from({ length: CUTS }, (_, i) => Math.max(1, Math.floor((total * i) / (CUTS - 1))))
}

t.test('who follows gets every batch once, wherever his connection ends', async (t) => {
  const { server, proxy, join } = await wayTo(t)
  const writer = await machine(server, {})
  for (const length of lengths) await store(writer, 'x'.repeat(length))
  await writer.remote.accepted()
  const expected = await texts(writer)
  const { keys } = writer
  const follow = async (): Promise<{ reader: Machine; sequences: number[] }> => {
    const sequences: number[] = []
    const reader = await counting(join, keys, sequences)
    return { reader, sequences }
  }
  const whole = await follow()
  const total = proxy.passed.server
  await whole.reader.kill()
  for (const cutAfter of cutPoints(total)) {
    proxy.cutAfterBytes = cutAfter
    const before = proxy.connections
    const healing = eventually(() => proxy.connections > before, 10_000).then(() => (proxy.cutAfterBytes = Infinity))
    const { reader, sequences } = await follow()
    await healing
    await eventually(async () => (await texts(reader)).length === expected.length)
    t.strictSame(await texts(reader), expected, `cut after ${cutAfter} of ${total} bytes`)
    t.strictSame(
      sequences,
      lengths.map((_, i) => i + 1),
    )
    await reader.kill()
  }
  await writer.close()
})

async function counting(join: Way['join'], keys: ChainKeys, sequences: number[]): Promise<Machine> {
  const onTaken = (run: readonly BatchBytes[]): void =>
    void sequences.push(...run.map((batch) => decodeBatch(batch).link.sequence))
  return await join({ keys, onTaken })
}

t.test('who brings batches has each of them taken once, wherever his connection ends', async (t) => {
  const { server, proxy, join } = await wayTo(t)
  const write = async (one: Machine, round: number): Promise<void> => {
    for (const [i, length] of lengths.entries())
      await one.chain.transact((dio) => dio.store({ text: `${round}-${i}-${'x'.repeat(length)}` }, { type: Note }), {
        retries: 100,
      })
    await one.remote.accepted()
  }
  const one = await join()
  const before = proxy.passed.client
  await write(one, 0)
  const total = proxy.passed.client - before
  let rounds = 1
  for (const cutAfter of cutPoints(total)) {
    // The next connection has that end.
    proxy.cutAfterClientBytes = cutAfter
    const { connections } = proxy
    proxy.cut()
    await eventually(() => proxy.connections > connections, 10_000)
    proxy.cutAfterClientBytes = Infinity
    await write(one, rounds++)
  }
  const reader = await machine(server, { keys: one.keys })
  const all = await texts(reader)
  t.equal(all.length, rounds * lengths.length)
  t.equal(new Set(all).size, all.length, 'each once')
  t.strictSame(await texts(one), all)
  await reader.kill()
  await one.close()
})
