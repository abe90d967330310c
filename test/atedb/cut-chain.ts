/** A chain of a server is cut back to a batch, without its keys, and goes on from there. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lockChain } from '../../src/adapters/node/chain-lock.js'
import { ServerStores } from '../../src/adapters/node/server-stores.js'
import { cutServedChain } from '../../src/atedb/cut-chain.js'
import { loadOrMakeSecret, STORAGE } from '../../src/atedb/secret-file.js'
import type { ChainServer } from '../../src/server/index.js'
import { START } from '../../src/sync/index.js'
import { LocalChain, serverOn, TestClient } from '../helpers/chain-server.js'
import { failure } from '../helpers/wire.js'

function place(t: Test): { logsPath: string; serve: () => ChainServer } {
  const logsPath = mkdtempSync(join(tmpdir(), 'atefs-cut-'))
  t.teardown(() => rmSync(logsPath, { recursive: true, force: true }))
  const serve = (): ChainServer => {
    const storageSecret = loadOrMakeSecret(join(logsPath, '~server/storage'), STORAGE)
    return serverOn(new ServerStores(logsPath), { storageSecret })
  }
  return { logsPath, serve }
}

t.test('what came behind a batch is set aside, and the chain goes on from it', async (t) => {
  const { logsPath, serve } = place(t)
  const local = await LocalChain.make(1000, 2000, 3000, 4000, 5000)
  const server = serve()
  const owner = await (await TestClient.to(server)).create('team/notes')
  const { term } = await owner.turn(START)
  await owner.upload(term, await local.batches())
  await owner.until(() => owner.accepted.at(-1) === 5)
  await owner.release(term)
  await server.close()

  const chain = 'db/team/notes'
  for (const sequence of [3, 0]) {
    const { batches, setAside } = await cutServedChain({ logsPath, chain, sequence })
    t.ok(batches > 0 && setAside !== undefined && existsSync(setAside), `${batches} lie in a file`)
    t.same(await cutServedChain({ logsPath, chain, sequence }), { batches: 0, setAside: undefined })
    const again = serve()
    const channel = await (await TestClient.to(again)).open('team/notes')
    t.equal(channel.opened.sequence, sequence)
    await channel.follow()
    await channel.barrier()
    t.equal(channel.received.length, sequence)
    t.ok((await channel.turn(START)).term > term, 'terms do not begin anew')
    if (sequence === 3) {
      const given = await (await TestClient.to(again, 2)).open('team/notes')
      t.equal(await failure(given.follow(local.point)), 'resolved', 'who has more is told what there is')
    }
    await again.close()
  }
  const last = serve()
  const channel = await (await TestClient.to(last)).open('team/notes')
  const given = await channel.turn(START)
  await channel.upload(given.term, await local.batches())
  await channel.until(() => channel.accepted.at(-1) === 5)
  await last.close()
  t.same(readdirSync(join(logsPath, '~server')).sort(), ['cut', 'lock', 'storage'])
})

t.test('it is cut only where no server runs, and where the batch is', async (t) => {
  const { logsPath, serve } = place(t)
  const server = serve()
  await (await TestClient.to(server)).create('notes')
  await server.close()
  const cut = (chain: string, sequence: number): Promise<unknown> => cutServedChain({ logsPath, chain, sequence })
  t.equal(await failure(cut('db/notes', 1)), 'NOT_FOUND')
  t.equal(await failure(cut('db/others', 1)), 'CHAIN_NOT_FOUND')
  t.equal(await failure(cut('../notes', 1)), 'BAD_ARGUMENT')
  const lock = lockChain(join(logsPath, '~server'), { readOnly: false })
  t.equal(await failure(cut('db/notes', 0)), 'CHAIN_LOCKED')
  lock.release()
  t.same(await cut('db/notes', 0), { batches: 0, setAside: undefined })
  t.equal(
    await failure(cutServedChain({ logsPath: join(logsPath, 'db'), chain: 'notes', sequence: 0 })),
    'CHAIN_NOT_FOUND',
  )
})

t.test('it is not cut between content whose space was given back and the batch that drops it', async (t) => {
  const { logsPath, serve } = place(t)
  const local = await LocalChain.make(400_000, 1000, 1000, 1000)
  const server = serve()
  const owner = await (await TestClient.to(server)).create('notes')
  const { channel } = owner.opened
  const { term } = await owner.turn(START)
  await owner.upload(term, await local.batches())
  await owner.until(() => owner.accepted.at(-1) === 4)
  const drop = async (numbers: [number, number][], upTo: number): Promise<number> =>
    (await owner.client.peer.request(channel, 'drop', { term, numbers, upTo })).upTo
  // As if batch 3 had said so.
  await drop([[1001, 1005]], 3)
  while ((await drop([], 0)) < 3) await new Promise((resolve) => setTimeout(resolve, 10))
  await owner.release(term)
  await server.close()
  const cut = (sequence: number) => cutServedChain({ logsPath, chain: 'db/notes', sequence })
  t.equal(await failure(cut(2)), 'NOT_SUPPORTED')
  t.match(await cut(3), { batches: 1 })
})
