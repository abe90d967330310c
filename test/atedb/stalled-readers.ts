/** The server program with clients on real sockets that stop reading: what they cost it is bounded, and others go on. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { dialWebSocket } from '../../src/adapters/node/web-socket/connect.js'
import { START } from '../../src/sync/index.js'
import { connect } from '../../src/wire/index.js'
import { startAtedb } from '../helpers/atedb-server.js'
import { LocalChain, TestClient } from '../helpers/chain-server.js'
import { cliWorld } from '../helpers/cli.js'
import { clientOptions, take } from '../helpers/wire.js'

const MIB = 1024 * 1024
const STALLED = 32
const BATCH = 24 * MIB

await t.test(
  'many that do not read a batch of 24 MiB hold a part of that in memory, and who reads goes on',
  async (t) => {
    const flags = ['-l', '127.0.0.1', '--no-auth', '--no-wire-encryption']
    const server = await startAtedb(t, cliWorld(t), flags)
    const transport = () => dialWebSocket(`ws://${server.started.listening}/db`)
    const residentBytes = (): number =>
      1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, 'latin1'))?.[1])
    const writer = await TestClient.over(await transport())
    const chain = await writer.create('notes')
    const local = await LocalChain.make(BATCH, 100)
    const { term } = await chain.turn(START)
    await chain.upload(term, await local.batches())
    await chain.until(() => chain.accepted.at(-1) === 2)
    const reader = await (await TestClient.over(await transport(), 2)).open('notes')
    await reader.follow()
    await reader.until(() => reader.received.length === 2)
    const before = residentBytes()
    const stalled = await Promise.all(
      Array.from({ length: STALLED }, async () => {
        const options = { encryption: 0, maxUnreadBytes: 64 * 1024 } as const
        const connection = await connect(await transport(), clientOptions(options))
        connection.send([0, 0, 1, 'open', { chain: 'notes' }])
        await take(connection, 1)
        connection.send([1, 0, 2, 'follow', { sequence: 0, digest: new Uint8Array(32) }])
        return connection
      }),
    )
    let most = 0
    const watch = (async () => {
      for (let i = 0; i < 20; i++) {
        most = Math.max(most, residentBytes())
        await sleep(50)
      }
    })()
    await chain.barrier()
    await local.add(100)
    await chain.upload(term, await local.batches(3))
    await chain.until(() => chain.accepted.at(-1) === 3)
    await reader.until(() => reader.received.length === 3)
    t.pass('who writes is not kept waiting, nor who reads')
    await watch
    most = Math.max(most, residentBytes()) - before
    t.ok(most < 500 * MIB, `${Math.round(most / MIB)} MiB`)
    t.comment(`${Math.round(most / MIB)} MiB more`)
    for (const connection of stalled) void connection.close()
    void reader.client.peer.close()
    void writer.peer.close()
  },
)
