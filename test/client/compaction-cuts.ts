/** A connection that ends behind any byte of what a compaction sends or is told: nothing is lost, and all copies end alike. */
import t from 'tap'
import { serverBehindProxy } from '../helpers/chaos/server-behind-proxy.js'
import { eventually, machine, type Machine, Note, store, texts } from '../helpers/remote-chains.js'

const CUTS = process.env['ATEFS_TEST_LONG'] === undefined ? 4 : 150
const TEXT_LENGTH = 15_000
const NOTES = 8
const options = { segmentBytes: 48 * 1024, patienceMs: 5000 }

const textOf = (name: string): string => name.padEnd(TEXT_LENGTH, name)

/** Some notes, of which those with an odd number are deleted. */
async function use(one: Machine, round: number): Promise<void> {
  for (let i = 0; i < NOTES; i++) await store(one, textOf(`note ${round}-${i} `))
  for await (const { key, text } of one.chain.dio().roots(Note))
    if (/^note \d+-[1357] /.test(text)) await one.chain.transact((dio) => dio.delete(key))
  await one.remote.accepted()
}

/** It is begun again by who asked for it, not more often than it may be cut off. */
async function compact({ chain, remote }: Machine): Promise<void> {
  for (let left = 2; ; left--) {
    try {
      await eventually(() => remote.status().isConnected, 10_000)
      await chain.compact()
      return
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

for (const side of ['client', 'server'] as const)
  await t.test(`wherever what the ${side} says ends amid a compaction, nothing is lost`, async (t) => {
    const { server, proxy, served } = await serverBehindProxy(t)
    const one = await machine(served, options)
    const { keys } = one
    const other = await machine(server, { ...options, keys })
    const begin = async (after: number): Promise<void> => {
      const { connections } = proxy
      if (side === 'client') proxy.cutAfterClientBytes = after
      else proxy.cutAfterBytes = after
      proxy.cut()
      await eventually(() => proxy.connections > connections, 10_000)
    }
    /** On a connection of its own. */
    const compactCut = async (after: number): Promise<void> => {
      await begin(after)
      proxy.cutAfterClientBytes = proxy.cutAfterBytes = Infinity
      await compact(one)
      await begin(Infinity)
      await eventually(() => one.remote.status().isConnected, 10_000)
    }
    await use(one, 0)
    const before = proxy.passed[side]
    await compactCut(Infinity)
    const total = proxy.passed[side] - before
    t.ok(total > 1000, `${total} bytes`)
    for (let round = 1; round <= CUTS; round++) {
      await use(one, round)
      await compactCut(Math.ceil((total * round) / CUTS))
      const kept = [...Array(round + 1).keys()].flatMap((each) => [0, 2, 4, 6].map((i) => textOf(`note ${each}-${i} `)))
      t.strictSame(await texts(one), kept.sort(), `cut after ${round}/${CUTS} of ${total} bytes`)
      await eventually(() => one.remote.status().headSequence === other.remote.status().headSequence)
      t.strictSame(await texts(other), kept)
    }
    const late = await machine(server, { ...options, keys })
    t.strictSame(await texts(late), await texts(one))
    t.equal((await one.chain.compact()).bodies, 0, 'all of it is done')
    for (const each of [one, other, late]) await each.close()
  })
