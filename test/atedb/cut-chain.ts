/** A chain of a server is cut back to a batch, without its keys, and goes on from there. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lockChain } from '../../src/adapters/node/chain-lock.js'
import { FileStorage } from '../../src/adapters/node/file-storage.js'
import { ServerStores } from '../../src/adapters/node/server-stores.js'
import { copyChain } from '../../src/atedb/copy-chain.js'
import { cutServedChain } from '../../src/atedb/cut-chain.js'
import { loadOrMakeSecret, STORAGE } from '../../src/atedb/secret-file.js'
import { AteError } from '../../src/engine/error.js'
import { type ChainServer, type ChainStore, loadDropped, type ServerNotice } from '../../src/server/index.js'
import { START } from '../../src/sync/index.js'
import { LocalChain, serverOn, TestClient } from '../helpers/chain-server.js'
import { eventually } from '../helpers/remote-chains.js'
import { failure } from '../helpers/wire.js'

type Serve = (stores?: ServerStores, onNotice?: (notice: ServerNotice) => void) => ChainServer

function place(t: Test): { logsPath: string; serve: Serve } {
  const logsPath = mkdtempSync(join(tmpdir(), 'atefs-cut-'))
  t.teardown(() => rmSync(logsPath, { recursive: true, force: true }))
  const serve: Serve = (stores = new ServerStores(logsPath), onNotice = () => undefined) => {
    const storageSecret = loadOrMakeSecret(join(logsPath, '~server/storage'), STORAGE)
    return serverOn(stores, { storageSecret, onNotice })
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

/** A chain whose first batch has content, the name of its channel, and what tells the server that some of that is dropped. */
async function dropping(server: ChainServer): Promise<Dropping> {
  const local = await LocalChain.make(400_000, 1000, 1000, 1000)
  const owner = await (await TestClient.to(server)).create('notes')
  const { channel } = owner.opened
  const { peer } = owner.client
  const { term } = await owner.turn(START)
  await owner.upload(term, await local.batches())
  await owner.until(() => owner.accepted.at(-1) === 4)
  return {
    drop: async (numbers, upTo) => (await peer.request(channel, 'drop', { term, numbers, upTo })).upTo,
    isGone: async (number) =>
      (await peer.request(channel, 'bodies', { sequence: 1, numbers: [number] })).bodies[0] === null,
    release: () => owner.release(term),
  }
}

interface Dropping {
  drop: (numbers: [number, number][], upTo: number) => Promise<number>
  isGone: (number: number) => Promise<boolean>
  release: () => Promise<unknown>
}

/** The file `dropped` can be written so many times. */
class FailingStores extends ServerStores {
  writes = Infinity

  override async create(chain: string): Promise<ChainStore> {
    return this.#failing(await super.create(chain))
  }

  override async open(chain: string): Promise<ChainStore | undefined> {
    const store = await super.open(chain)
    return store && this.#failing(store)
  }

  #failing(store: ChainStore): ChainStore {
    const { storage } = store
    const replace = storage.replaceSmall.bind(storage)
    storage.replaceSmall = async (name, content) => {
      if (name === 'dropped' && --this.writes < 0) throw new AteError('INPUT_OUTPUT', 'It cannot be written.')
      await replace(name, content)
    }
    return store
  }
}

t.test('it is not cut between content whose space was given back and the batch that drops it', async (t) => {
  const { logsPath, serve } = place(t)
  const server = serve()
  const { drop, release } = await dropping(server)
  // As if batch 3 had said so.
  await drop([[1001, 1005]], 3)
  await eventually(async () => (await drop([], 0)) === 3)
  await release()
  await server.close()
  const cut = (sequence: number) => cutServedChain({ logsPath, chain: 'db/notes', sequence })
  t.equal(await failure(cut(2)), 'NOT_SUPPORTED')
  t.match(await cut(3), { batches: 1 })
  t.equal(await failure(cut(2)), 'NOT_SUPPORTED', 'it is known of the chain that was cut, too')
})

for (const [what, upTo, least] of [
  ['ended while it gave that back', 3, 3],
  ['was told only a part of it', 0, 4],
] as const)
  t.test(`nor when the server ${what}`, async (t) => {
    const { logsPath, serve } = place(t)
    const stores = new FailingStores(logsPath)
    stores.writes = 1
    const server = serve(stores)
    t.teardown(() => server.close())
    const { drop, isGone } = await dropping(server)
    await drop([[1001, 1005]], upTo)
    await eventually(() => isGone(1003))
    await server.close()
    const cut = (sequence: number) => cutServedChain({ logsPath, chain: 'db/notes', sequence })
    const copy = join(logsPath, 'copy')
    await copyChain(join(logsPath, 'db/notes'), copy, new AbortController().signal)
    t.same(await loadDropped(new FileStorage(copy)), { upTo: 0, keep: least }, 'a copy of it tells the same')
    for (let sequence = 1; sequence < least; sequence++) t.equal(await failure(cut(sequence)), 'NOT_SUPPORTED')
    t.match(await cut(least), { batches: 4 - least })
  })

t.test('nothing is given back before it is noted how far the chain must be kept for that', async (t) => {
  const { logsPath, serve } = place(t)
  const stores = new FailingStores(logsPath)
  stores.writes = 0
  const notices: string[] = []
  const server = serve(stores, ({ message }) => notices.push(message))
  t.teardown(() => server.close())
  const { drop, isGone } = await dropping(server)
  await drop([[1001, 1005]], 3)
  await eventually(() => notices.length > 0)
  t.notOk(await isGone(1003))
  await server.close()
  t.match(await cutServedChain({ logsPath, chain: 'db/notes', sequence: 2 }), { batches: 2 })
})
