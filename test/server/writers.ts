/** Who may write a chain: whoever shows to have its key, on the connection on which he asks, and nobody else. */
import t from 'tap'
import { deriveChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { type VerifySignature, verifyHere } from '../../src/engine/log/verify-signatures.js'
import { MAX_KEYRING_BYTES } from '../../src/engine/limits.js'
import { Peer, START, writerOf, type WriterProof } from '../../src/sync/index.js'
import { accept, memoryTransports } from '../../src/wire/index.js'
import { LocalChain, MemoryStores, serverOn, TestClient } from '../helpers/chain-server.js'
import { keys } from '../helpers/log-workbench.js'
import { middleman } from '../helpers/middleman.js'
import { connected, crypto, failure, serverOptions, settled } from '../helpers/wire.js'

const KEYRING = new Uint8Array(100).fill(5)
/** Of somebody who knows everything of the chain but its key. */
const stranger = deriveChainKeys(crypto, new Uint8Array(32).fill(77), keys.chainId, keys.suite)

async function served() {
  const stores = new MemoryStores()
  const server = serverOn(stores)
  const local = await LocalChain.make(100, 200)
  const owner = await (await TestClient.to(server)).create('notes', keys.chainId, KEYRING)
  const { term } = await owner.turn(START)
  await owner.upload(term, await local.batches())
  await owner.until(() => owner.accepted.at(-1) === 2)
  return { stores, server, local, owner, term }
}

t.test('a stranger takes no turn, brings and drops nothing and replaces no keyring, and may read on', async (t) => {
  const { stores, server, local, owner, term } = await served()
  const client = await TestClient.to(server, 2)
  const channel = await client.open('notes')
  t.equal(await failure(channel.turn(local.point, { proof: null })), 'NOT_AUTHORIZED', 'without a proof')
  t.equal(await failure(channel.turn(local.point, { proof: channel.prove({ by: stranger }) })), 'NOT_AUTHORIZED')
  const flipped = channel.prove()
  flipped.signature[100] = (flipped.signature[100] ?? 0) ^ 1
  t.equal(await failure(channel.turn(local.point, { proof: flipped })), 'NOT_AUTHORIZED', 'not what was signed')
  const others = channel.prove({ session: owner.client.session })
  t.equal(await failure(channel.turn(local.point, { proof: others })), 'NOT_AUTHORIZED', 'of another session')
  const { session } = owner.client
  const asOwner = { session, term, proof: channel.prove({ session, by: stranger }) }
  t.equal(await failure(channel.turn(local.point, asOwner)), 'NOT_AUTHORIZED', 'in the name of the holder')

  await local.add(300)
  for (const guess of [0, term, term + 1]) {
    await channel.upload(guess, await local.batches(3))
    const { channel: number } = channel.opened
    const keyring = new Uint8Array(9)
    t.equal(await failure(client.peer.request(number, 'keyring', { term: guess, keyring })), 'LOCK_LOST')
    t.equal(
      await failure(client.peer.request(number, 'drop', { term: guess, numbers: [[1, 9]], upTo: 0 })),
      'LOCK_LOST',
    )
    t.equal(await failure(channel.release(guess)), 'LOCK_LOST')
  }
  await settled()
  t.equal((await channel.follow()).sequence, 2, 'he reads on')
  t.strictSame(await stores.chains.get('db/notes')?.storage.readSmall('keyring', MAX_KEYRING_BYTES), KEYRING)
  t.strictSame((await (await TestClient.to(server, 3)).open('notes')).opened.keyring, KEYRING)
  t.strictSame([owner.recalls, owner.refused], [[], []], 'the holder is not even asked')
  await owner.upload(term, await local.batches(3))
  await owner.until(() => owner.accepted.at(-1) === 3)
  await server.close()
})

t.test('after some attempts the connection ends, and the next one begins anew', async (t) => {
  const { server, local } = await served()
  const client = await TestClient.to(server, 2)
  const channel = await client.open('notes')
  const attempts: string[] = []
  for (let i = 0; i < 8; i++) attempts.push(await failure(channel.turn(local.point, { proof: null })))
  t.strictSame(new Set(attempts.slice(0, 7)), new Set(['NOT_AUTHORIZED']))
  t.equal((await client.peer.closed).code, 'NOT_AUTHORIZED')
  await (await TestClient.to(server, 2)).open('notes')
  await server.close()
})

t.test('a proof is for one connection: on another it is refused', async (t) => {
  const { server, local, owner, term } = await served()
  const proof = owner.prove()
  await owner.release(term)
  const again = await (await TestClient.to(server)).open('notes')
  t.equal(await failure(again.turn(local.point, { proof })), 'NOT_AUTHORIZED')
  t.equal((await again.turn(local.point)).term, term + 1, 'his own')
  await server.close()
})

t.test('what was recorded of a connection in clear gives no turn when it is said again', async (t) => {
  const { server, local, owner, term } = await served()
  await owner.release(term)
  const man = middleman()
  const { client, server: there } = await connected({ encryption: 0 }, { encryption: 0 }, [man.client, man.server])
  server.accept(there, 'db')
  const open = await new TestClient(new Peer(client), new Uint8Array(16).fill(1)).open('notes')
  t.equal((await open.turn(local.point)).term, term + 1)
  await open.release(term + 1)
  await client.close()

  const [here, other] = memoryTransports()
  const answers: string[] = []
  here.start({ packet: (bytes) => answers.push(new TextDecoder('latin1').decode(bytes)), ended: () => undefined })
  const accepting = accept(other, serverOptions({ encryption: 0 })).then((connection) =>
    server.accept(connection, 'db'),
  )
  for (const packet of man.seen.client.slice(0, -1)) {
    here.send(packet, () => undefined)
    await settled()
  }
  await accepting
  for (let i = 0; i < 50 && !answers.some((answer) => answer.includes('NOT_AUTHORIZED')); i++) await settled()
  t.ok(
    answers.some((answer) => answer.includes('NOT_AUTHORIZED')),
    'he is known by the random number of the server',
  )
  const next = await (await TestClient.to(server)).open('notes')
  t.equal((await next.turn(local.point)).term, term + 2, 'no turn was given in between')
  await server.close()
})

t.test('a proof is shown once on a channel, and counts for its session only', async (t) => {
  const { server, local, owner, term } = await served()
  await owner.release(term)
  t.equal((await owner.turn(local.point, { proof: null })).term, term + 1)
  await owner.release(term + 1)
  const other = { session: new Uint8Array(16).fill(9), proof: null }
  t.equal(await failure(owner.turn(local.point, other)), 'NOT_AUTHORIZED')
  const second = await owner.client.open('notes')
  t.equal(await failure(second.turn(local.point, { proof: null })), 'NOT_AUTHORIZED', 'on another channel')
  await server.close()
})

t.test('a chain that was made before there were proofs is of who shows the first, also after a restart', async (t) => {
  const { stores, server, local, owner, term } = await served()
  await owner.release(term)
  await server.close()
  await stores.chains.get('db/notes')?.storage.remove('writer')
  const second = serverOn(stores)
  const first = await (await TestClient.to(second)).open('notes')
  const wrong: WriterProof = { ...first.prove({ by: stranger }), publicKey: writerOf(keys).publicKey }
  t.equal(await failure(first.turn(local.point, { proof: wrong })), 'NOT_AUTHORIZED', 'a false one registers nobody')
  await first.release((await first.turn(local.point)).term)
  await second.close()
  const third = serverOn(stores)
  const channel = await (await TestClient.to(third, 2)).open('notes')
  t.equal(await failure(channel.turn(local.point, { proof: channel.prove({ by: stranger }) })), 'NOT_AUTHORIZED')
  t.ok(await channel.turn(local.point))
  await third.close()
})

t.test('a file of the key that is damaged opens the chain to nobody', async (t) => {
  const { stores, server } = await served()
  await server.close()
  await stores.chains.get('db/notes')?.storage.replaceSmall('writer', new Uint8Array(40))
  const again = serverOn(stores)
  t.equal(await failure((await TestClient.to(again)).open('notes')), 'BAD_FORMAT')
  await again.close()
})

t.test('sessions that take turns on a channel are verified once each; only so many are remembered', async (t) => {
  let verified = 0
  const verify: VerifySignature = (...signed) => {
    verified++
    return verifyHere(...signed)
  }
  const server = serverOn(new MemoryStores(), { verify })
  const channel = await (await TestClient.to(server)).create('notes')
  const ask = async (name: number): Promise<void> => {
    const { term } = await channel.turn(START, { session: new Uint8Array(16).fill(name) })
    await channel.release(term)
  }
  for (let round = 0; round < 5; round++) for (const name of [1, 2, 3]) await ask(name)
  t.equal(verified, 3)
  for (let name = 4; name <= 11; name++) await ask(name)
  await ask(1)
  t.equal(verified, 3 + 8 + 1)
  await server.close()
})
