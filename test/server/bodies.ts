/** Who follows without content gets all but that, and asks for bodies by their numbers. */
import t from 'tap'
import { equalBytes } from '../../src/engine/bytes/equal.js'
import { merkleLeaf } from '../../src/engine/log/format/merkle.js'
import { GROUP_CONTENT } from '../../src/engine/log/types.js'
import { MAX_ASKED_BODIES, MAX_SENT_BODY_BYTES, START } from '../../src/sync/index.js'
import { type LocalChain, serverOn, type TestChannel, TestClient } from '../helpers/chain-server.js'
import { servedBatches, type ServedBatches } from '../helpers/served-batches.js'
import { crypto, failure, ManualTimers, settled } from '../helpers/wire.js'

const MIB = 1024 * 1024

async function served(...contents: number[]): Promise<ServedBatches & { reader: TestChannel }> {
  const made = await servedBatches(...contents)
  return { ...made, reader: await (await TestClient.to(made.server, 2)).open('notes') }
}

function bodies(
  { client, opened }: TestChannel,
  sequence: number,
  numbers: readonly number[],
): Promise<{ bodies: readonly (Uint8Array | null)[] }> {
  return client.peer.request(opened.channel, 'bodies', { sequence, numbers })
}

async function contentOf(local: LocalChain, sequence: number): Promise<{ number: number; digest: Uint8Array }[]> {
  const batch = (await local.batches()).find((one) => one.sequence === sequence)
  return (batch?.head.table ?? []).filter(({ kind }) => kind === GROUP_CONTENT)
}

await t.test('without content come heads and records, from the log and from memory; with the flag alone', async (t) => {
  const { server, local, writer, reader, term } = await served(MIB, 2 * MIB, 0, 500)
  const whole = await (await TestClient.to(server, 3)).open('notes')
  await reader.client.peer.request(reader.opened.channel, 'follow', { ...START, content: 'none' })
  await whole.follow()
  await local.add(3 * MIB)
  await writer.upload(term, await local.batches(5))
  for (const each of [reader, whole]) await each.until(() => each.received.length === 5)
  const bytes = ({ received }: TestChannel): number => received.reduce((sum, one) => sum + one.bytes, 0)
  t.ok(bytes(whole) > 6 * MIB)
  t.ok(bytes(reader) < 150_000, `${bytes(reader)} bytes`)
  await server.close()
})

await t.test('bodies are what the batch says, of any batch, in answers of a bounded size', async (t) => {
  const { server, stores, local } = await served(MIB, 8000, 3 * MIB)
  await server.close()
  const again = serverOn(stores)
  const later = await (await TestClient.to(again, 4)).open('notes')
  for (const sequence of [3, 1, 2]) {
    const content = await contentOf(local, sequence)
    for (let at = 0; at < content.length;) {
      const wanted = content.slice(at, at + MAX_ASKED_BODIES)
      const got = await bodies(
        later,
        sequence,
        wanted.map(({ number }) => number),
      )
      t.ok(got.bodies.length >= 1)
      t.ok(got.bodies.reduce((sum, one) => sum + (one?.length ?? 0), 0) <= MAX_SENT_BODY_BYTES)
      for (const [i, body] of got.bodies.entries())
        if (body === null || !equalBytes(merkleLeaf(crypto, body), wanted[i]?.digest ?? body)) t.fail(`${sequence}`)
      at += got.bodies.length
    }
  }
  t.strictSame((await bodies(later, 1, [])).bodies, [])
  await again.close()
})

await t.test(
  'what the batch has not, and batches that are not there, are refused, and the connection goes on',
  async (t) => {
    const { server, local, reader } = await served(8000, 8000)
    const [first] = await contentOf(local, 1)
    const other = await contentOf(local, 2)
    if (first === undefined) throw new Error('there is no content')
    for (const [sequence, number] of [
      [1, 1],
      [1, 1000],
      [1, other[0]?.number ?? 0],
      [3, first.number],
      [0, first.number],
      [2 ** 40, first.number],
    ] as const)
      t.equal(await failure(bodies(reader, sequence, [number])), 'BAD_ARGUMENT', `${sequence} ${number}`)
    t.equal((await bodies(reader, 1, [first.number])).bodies.length, 1)
    await server.close()
  },
)

await t.test('what was dropped is null, and its neighbour is not', async (t) => {
  const { server, local, writer, reader, term } = await served(200_000, 8000)
  const [one, two] = await contentOf(local, 1)
  if (one === undefined || two === undefined) throw new Error('there is too little content')
  const request = { term, numbers: [[one.number, one.number] as const], upTo: 2 }
  await writer.client.peer.request(writer.opened.channel, 'drop', request)
  for (let i = 0; i < 100; i++) {
    const got = await bodies(reader, 1, [one.number, two.number])
    if (got.bodies[0] === null) break
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const got = await bodies(reader, 1, [one.number, two.number])
  t.equal(got.bodies[0], null)
  t.ok(equalBytes(merkleLeaf(crypto, got.bodies[1] ?? new Uint8Array(0)), two.digest))
  await server.close()
})

await t.test('many requests at once are all answered, in order, by a server that holds little of them', async (t) => {
  const { server, local, reader } = await served(3 * MIB)
  const content = await contentOf(local, 1)
  const numbers = content.slice(0, MAX_ASKED_BODIES).map(({ number }) => number)
  const got = await Promise.all(Array.from({ length: 100 }, () => bodies(reader, 1, numbers)))
  const [first] = got
  t.ok((first?.bodies.length ?? 0) > 0)
  t.ok(got.every((one) => one.bodies.length === first?.bodies.length))
  await server.close()
})

await t.test('looking for batches in the log costs requests, and ends with the connection', async (t) => {
  const { server, stores, local } = await served(...Array.from({ length: 80 }, () => 60_000))
  await server.close()
  const reads = { count: 0 }
  for (const { storage } of stores.chains.values()) {
    const open = storage.openSegment.bind(storage)
    storage.openSegment = async (name, mode) => {
      const file = await open(name, mode)
      const read = file.read.bind(file)
      file.read = (position, length, into) => {
        reads.count++
        return read(position, length, into)
      }
      return file
    }
  }
  const timers = new ManualTimers()
  const again = serverOn(stores, { timers, limits: { requestsPerSecond: 40 } })
  const reader = await (await TestClient.to(again, 4)).open('notes')
  const [wanted] = await contentOf(local, 80)
  await timers.pass(1000)
  const before = reads.count
  const asked = failure(bodies(reader, 80, [wanted?.number ?? 0]))
  /** Until nothing is read any more. */
  const rest = async (): Promise<void> => {
    for (let quiet = 0, last = -1; quiet < 20; quiet++, last = reads.count) {
      if (reads.count !== last) quiet = 0
      await settled()
    }
  }
  await rest()
  const looked = reads.count - before
  t.ok(looked > 10 && looked < 50, `${looked} reads in the first second`)
  await reader.client.peer.close()
  t.not(await asked, 'resolved')
  await timers.pass(5000)
  await rest()
  t.ok(reads.count - before < looked + 5, 'nobody looks on for who is gone')
  await again.close()
})
