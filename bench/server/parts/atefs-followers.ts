/** Connections that follow the chain, one program for all: each takes every batch, without the chain's keys. */
import { dialWebSocket } from '../../../src/adapters/node/web-socket/connect.js'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { BatchJoiner, Peer, START } from '../../../src/sync/index.js'
import { connect, parseServerKeyId, type ServerKeyId } from '../../../src/wire/index.js'
import { bePart, seconds } from '../program.js'

/** Resolves when it follows, with what resolves when it has all that the server has then. */
async function follow(address: string, key: ServerKeyId): Promise<() => Promise<unknown>> {
  const { host, pathname } = new URL(address)
  const transport = await dialWebSocket(address)
  const trust = { server: host, key }
  const peer = new Peer(await connect(transport, { crypto: nativeCrypto, target: `${host}${pathname}`, trust }))
  const { channel } = await peer.request(0, 'open', { chain: 'load' })
  const joiner = new BatchJoiner()
  peer.listen(channel, { pushes: { batch: ({ bytes, more }) => void joiner.add(bytes, more) } })
  await peer.request(channel, 'follow', START)
  return () => peer.request(channel, 'barrier', {})
}

await bePart(async ({ address, serverKey, subscribers }) => {
  const key = parseServerKeyId(serverKey)
  const followers: (() => Promise<unknown>)[] = []
  for (let i = 0; i < subscribers; i++) followers.push(await follow(address, key))
  return async () => {
    const startMs = performance.now()
    await Promise.all(followers.map((barrier) => barrier()))
    return { seconds: seconds(startMs) }
  }
})
