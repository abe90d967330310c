/** A server that keeps back content of batches, which nothing in the chain drops. */
import t from 'tap'
import { readBatches } from '../../src/engine/log/index.js'
import { GROUP_CONTENT } from '../../src/engine/log/types.js'
import { TestClient } from '../helpers/chain-server.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually, type Machine, machine, NAME, store, texts } from '../helpers/remote-chains.js'
import { crypto } from '../helpers/wire.js'

const options = { patienceMs: 2000 }

interface Content {
  sequence: number
  number: number
}

async function contentOf({ storage, keys, remote }: Machine): Promise<Content[]> {
  const content: Content[] = []
  for await (const { sequence, head } of readBatches({ storage, crypto, keys }, 1, remote.status().headSequence))
    for (const { kind, number } of head.table) if (kind === GROUP_CONTENT) content.push({ sequence, number })
  return content
}

/** Has the server lose content, as somebody with the turn does who tells it that the content was dropped. */
async function loseAt(server: TestServer, { keys }: Machine, content: readonly Content[]): Promise<void> {
  const client = await TestClient.over(await server.dial())
  const channel = await client.open(NAME)
  const { term } = await channel.turn(await channel.follow(), { proof: channel.prove({ by: keys }) })
  const numbers = content.map(({ number }): [number, number] => [number, number])
  const { peer } = client
  await peer.request(channel.opened.channel, 'drop', { term, numbers, upTo: 0 })
  for (const { sequence, number } of content)
    await eventually(async () => {
      const { bodies } = await peer.request(channel.opened.channel, 'bodies', { sequence, numbers: [number] })
      return bodies[0] === null
    })
  await channel.release(term)
  await peer.connection.close()
}

for (const [which, count] of [
  ['the first of it', 1],
  ['all of it but what was written last', 4],
] as const)
  await t.test(`content that a server keeps back, ${which}, is missed: BATCH_REFUSED`, async (t) => {
    const server = new TestServer()
    t.teardown(() => server.close())
    const one = await machine(server, options)
    for (let i = 0; i < 4; i++) await store(one, `note ${i} `.padEnd(15_000, 'letters'))
    // A server gives back content of batches before the last one only: that could drop nothing of itself.
    await store(one, 'last')
    await one.remote.accepted()
    const whole = await machine(server, { ...options, keys: one.keys })
    t.strictSame(await texts(whole), await texts(one))
    await whole.close()
    // What it writes to is given back when it is closed.
    await server.restart()
    const content = await contentOf(one)
    await loseAt(server, one, content.slice(0, count))
    await eventually(() => one.remote.status().isConnected)
    const late = (): Promise<Machine> => machine(server, { ...options, keys: one.keys })
    const first = content[0]?.sequence
    await t.rejects(late(), { code: 'BATCH_REFUSED', message: `keeps back content of batch ${first} ` })
    await store(one, 'who has it goes on')
    await one.remote.accepted()
    await t.rejects(late(), { code: 'BATCH_REFUSED' }, 'and what follows drops nothing')
    t.equal((await texts(one)).length, 6)
    await one.close()
  })
