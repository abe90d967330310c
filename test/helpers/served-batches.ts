/** A server with a chain of some batches, and who writes it. */
import type { ChainServer } from '../../src/server/index.js'
import { START } from '../../src/sync/index.js'
import { LocalChain, MemoryStores, serverOn, type TestChannel, TestClient } from './chain-server.js'

export interface ServedBatches {
  server: ChainServer
  stores: MemoryStores
  local: LocalChain
  writer: TestChannel
  term: number
}

/** One batch for each of the contents, which are so many bytes. The chain is `notes`. */
export async function servedBatches(...contents: number[]): Promise<ServedBatches> {
  const stores = new MemoryStores()
  const server = serverOn(stores)
  const writer = await (await TestClient.to(server)).create('notes')
  const local = await LocalChain.make(...contents)
  await writer.follow()
  const { term } = await writer.turn(START)
  await writer.upload(term, await local.batches())
  await writer.until(() => (writer.accepted.at(-1) ?? 0) === contents.length)
  return { server, stores, local, writer, term }
}
