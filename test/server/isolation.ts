/** What goes over the wire to a client is of the chains that he has open, whatever all others do, and how ever they go. */
import t from 'tap'
import type { ChainServer } from '../../src/server/index.js'
import { Peer, START } from '../../src/sync/index.js'
import { accept, connect } from '../../src/wire/index.js'
import { LocalChain, MemoryStores, serverOn, TestChannel, TestClient } from '../helpers/chain-server.js'
import { type Middleman, middleman } from '../helpers/middleman.js'
import { seededRandom } from '../helpers/seeded-random.js'
import { clientOptions, serverOptions } from '../helpers/wire.js'

const SEED = Number(process.env['ATEFS_FUZZ_SEED'] ?? 1)
const ROUNDS = process.env['ATEFS_TEST_LONG'] === undefined ? 3 : 300
const NAMES = ['one', 'two', 'three'] as const
/** So many bytes of a sealed group are in no other one. */
const SAMPLE_BYTES = 24

interface Tapped {
  readonly way: Middleman
  readonly client: TestClient
}

/** A client in clear, so that the test reads along. */
async function tapped(server: ChainServer, session: number): Promise<Tapped> {
  const way = middleman()
  const trust = { server: 'localhost:5000', known: undefined }
  const [connection] = await Promise.all([
    connect(way.client, clientOptions({ encryption: 0, trust })),
    accept(way.server, serverOptions({ encryption: 0 })).then((there) => server.accept(there, 'db')),
  ])
  return { way, client: new TestClient(new Peer(connection), new Uint8Array(16).fill(session)) }
}

/** One writer of a chain, who goes on after his connection is cut. */
class Writer {
  readonly local: LocalChain
  readonly #name: string
  readonly #server: ChainServer
  readonly #session: number
  #tapped: Tapped | undefined
  #channel: TestChannel | undefined
  #term = 0

  constructor(server: ChainServer, name: string, local: LocalChain, session: number) {
    this.#server = server
    this.#name = name
    this.local = local
    this.#session = session
  }

  async begin(isNew: boolean): Promise<void> {
    this.#tapped = await tapped(this.#server, this.#session)
    const { client } = this.#tapped
    this.#channel = isNew ? await client.create(this.#name) : await client.open(this.#name)
    const { sequence, digest } = this.#channel.opened
    await this.#channel.follow({ sequence, digest })
    this.#term = (await this.#channel.turn({ sequence, digest }, { term: this.#term })).term
  }

  async write(bytes: number): Promise<void> {
    const channel = this.#channel
    if (channel === undefined) throw new Error('it has not begun')
    await this.local.add(bytes)
    const { sequence } = this.local.point
    await channel.upload(this.#term, await this.local.batches(sequence))
    await channel.until(() => (channel.accepted.at(-1) ?? 0) >= sequence)
  }

  async cut(): Promise<void> {
    this.#tapped?.way.cut()
    await this.begin(false)
  }
}

t.test(`subscribers receive no byte of other chains, and every batch of theirs once, seed ${SEED}`, async (t) => {
  const random = seededRandom(SEED)
  const below = (count: number): number => Math.floor(random() * count)
  for (let round = 0; round < ROUNDS; round++) {
    const server = serverOn(new MemoryStores())
    const writers = await Promise.all(
      NAMES.map(async (name, i) => {
        const writer = new Writer(server, name, await LocalChain.make(), i + 1)
        await writer.begin(true)
        return writer
      }),
    )
    const readers: (Tapped & { name: string; channel: TestChannel })[] = []
    const gone: Tapped[] = []
    for (let step = 0; step < 40; step++) {
      const writer = writers[below(writers.length)]
      const what = below(10)
      if (what < 6) await writer?.write(10 + below(what === 0 ? 700_000 : 3000))
      else if (what < 8) {
        const name = NAMES[below(NAMES.length)] ?? 'one'
        const one = await tapped(server, 100 + step)
        const channel = await one.client.open(name)
        await channel.follow(START)
        readers.push({ ...one, name, channel })
      } else if (what === 8) {
        const left = readers.splice(below(readers.length), 1)
        gone.push(...left)
        for (const { way } of left) way.cut()
      } else await writer?.cut()
    }
    for (const [i, name] of NAMES.entries()) {
      const writer = writers[i]
      if (writer === undefined) continue
      const batches = await writer.local.batches()
      const samples = batches.map(({ bytes }) => Buffer.from(bytes.groups.slice(0, SAMPLE_BYTES)))
      for (const reader of readers) {
        if (reader.name === name) await reader.channel.until(() => reader.channel.received.length >= batches.length)
        const received = Buffer.concat(reader.way.seen.server)
        if (reader.name === name) {
          const sequences = reader.channel.received.map(({ sequence }) => sequence)
          t.strictSame(
            sequences,
            batches.map(({ sequence }) => sequence),
            `everything of ${name}, once`,
          )
          t.ok(
            samples.every((sample) => received.includes(sample)),
            'in clear, so that it can be looked for',
          )
        } else
          t.notOk(
            samples.some((sample) => sample.length > 0 && received.includes(sample)),
            `nothing of ${name}`,
          )
      }
    }
    await server.close()
    t.comment(`${readers.length} readers at the end, ${gone.length} went before`)
  }
})
