/** A batch of distributed trust that somebody is said to have signed who did not, brought to the program `atedb`: refused by name. */
import t from 'tap'
import type { ObjectKey } from '../../src/engine/dio/object-key.js'
import { WriteKey } from '../../src/engine/trust/keys.js'
import { writeBy } from '../../src/engine/trust/rules.js'
import { AteSession } from '../../src/engine/trust/session.js'
import { batchItemPieces, type BatchBytes } from '../../src/engine/log/index.js'
import { decodeBatch } from '../../src/engine/log/received-batch.js'
import { batchParts, Peer } from '../../src/sync/index.js'
import { dial, startAtedb } from '../helpers/atedb-server.js'
import { type TestChannel, TestClient } from '../helpers/chain-server.js'
import { cliWorld } from '../helpers/cli.js'
import { crypto, Distributed, rewrite, runsOf } from '../helpers/distributed.js'
import { keys } from '../helpers/log-workbench.js'
import { Note } from '../helpers/objects.js'

const keyOf = (seed: number): WriteKey => WriteKey.fromSeed(crypto, new Uint8Array(64).fill(seed))
const [alice, mallory] = [keyOf(1), keyOf(2)]
const session = new AteSession({ writeKeys: [alice] })

/** A copy of the chain with these runs. */
async function copyWith(runs: readonly (readonly BatchBytes[])[]): Promise<Distributed> {
  const copy = new Distributed(keys)
  await copy.use(async (chain) => {
    for (const run of runs) await chain.receive(run, { isDurable: false })
  })
  return copy
}

async function note(ledger: Distributed, text: string): Promise<ObjectKey> {
  return await ledger.use(async (chain) => {
    const dio = chain.dioMut(session)
    const made = dio.store({ text }, { type: Note })
    dio.protect(made, { write: writeBy.only(alice) })
    await dio.commit()
    return made.key
  })
}

function bring({ client, opened }: TestChannel, term: number, runs: readonly (readonly BatchBytes[])[]): void {
  for (const bytes of runs.flat())
    for (const part of batchParts(batchItemPieces({ bytes, head: decodeBatch(bytes), missing: [] })))
      client.peer.push(opened.channel, 'batch', { ...part, term })
}

await t.test(
  'the server refuses it and what comes behind it, takes neither, and goes on with who is honest',
  async (t) => {
    const world = cliWorld(t)
    const server = await startAtedb(t, world, ['-l', '127.0.0.1', '-t', 'distributed'])
    const ledger = new Distributed(keys)
    const key = await note(ledger, 'first')
    const first = await runsOf(ledger)
    const forged = await copyWith(first)
    const signing = { ...mallory.signing, publicKey: alice.signing.publicKey }
    await forged.raw((view) => rewrite(view, key, { data: Uint8Array.of(128) }), { signing })
    await note(forged, 'behind it')
    const honest = await copyWith(first)
    await note(honest, 'second')

    const connection = await dial(server)
    const client = new TestClient(new Peer(connection), new Uint8Array(16).fill(7))
    const channel = await client.create('ledger', keys.chainId, null, 'distributed')
    const { sequence, digest } = channel.opened
    await channel.follow({ sequence, digest })
    const { term } = await channel.turn({ sequence, digest })
    bring(channel, term, first)
    await channel.until(() => channel.accepted.length > 0)
    const end = await channel.barrier()

    bring(channel, term, (await runsOf(forged)).slice(first.length))
    await channel.until(() => channel.refused.length > 0)
    t.match(channel.refused, [{ term, sequence: end.sequence + 1, code: 'BAD_SIGNATURE', message: /does not verify/ }])
    t.strictSame(await channel.barrier(), end, 'nothing of it is kept, and the connection goes on')
    t.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200)

    const again = await channel.turn(end)
    t.ok(again.term > term, 'the turn was over')
    bring(channel, again.term, (await runsOf(honest)).slice(first.length))
    await channel.until(() => (channel.accepted.at(-1) ?? 0) > end.sequence)
    t.equal(channel.refused.length, 1, 'told once')
    await connection.close()

    const reader = new TestClient(new Peer(await dial(server)), new Uint8Array(16).fill(8))
    const reading = await reader.open('ledger')
    const all = (await runsOf(honest)).flat().length
    await reading.follow()
    await reading.until(() => reading.received.length >= all)
    t.equal((await reading.barrier()).sequence, all, 'others have what is honest, and nothing else')
    await reader.peer.connection.close()
  },
)
