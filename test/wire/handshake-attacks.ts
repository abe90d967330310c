/** What somebody on the way, or a false server or client, does to a handshake is refused by name. */
import t from 'tap'
import { boxPublicKey } from '../../src/engine/crypto/kem.js'
import { LABELS } from '../../src/engine/crypto/labels.js'
import { AteError } from '../../src/engine/error.js'
import { accept, connect, MemoryKnownServers, memoryTransports, type Signer } from '../../src/wire/index.js'
import { decodeClientHello, encodeClientHello } from '../../src/wire/client-hello.js'
import { PACKET } from '../../src/wire/packet-types.js'
import { decodeServerHello, encodeServerHello, type ServerHello } from '../../src/wire/server-hello.js'
import { helloDigest } from '../../src/wire/transcript.js'
import { flipped, middleman, type Rewrite } from '../helpers/middleman.js'
import {
  clientOptions,
  connected,
  crypto,
  deflate,
  failure,
  identity,
  identityId,
  otherIdentity,
  serverOptions,
  someKey,
} from '../helpers/wire.js'

interface Settings {
  client?: Parameters<typeof clientOptions>[0]
  server?: Parameters<typeof serverOptions>[0]
}

/** How both sides end: `resolved`, or a code. */
async function handshake({ client, server }: Settings, rewrite?: Rewrite): Promise<{ client: string; server: string }> {
  const man = middleman(rewrite)
  const connecting = connect(man.client, clientOptions(client))
  const accepting = accept(man.server, serverOptions(server))
  const outcome = { client: await failure(connecting), server: '' }
  // A client that gives up just hangs up.
  outcome.server = await failure(accepting)
  man.cut()
  return outcome
}

/** Changes the client's hello as the offers in it are changed. */
function withHello(change: (hello: ReturnType<typeof decodeClientHello>) => void): Rewrite {
  return (packet, from, index) => {
    if (from !== 'client' || index > 0) return [packet]
    const hello = decodeClientHello(packet)
    change(hello)
    return [encodeClientHello(hello)]
  }
}

const onServerHello =
  (change: (hello: ServerHello) => Uint8Array): Rewrite =>
  (packet, from, index) =>
    from === 'server' && index === 0 ? [change(decodeServerHello(packet))] : [packet]

t.test('a server with another key than the one given or remembered is refused', async (t) => {
  const known = new MemoryKnownServers()
  const trust = { server: 'a:1', known }
  t.same(await handshake({ client: { trust } }), { client: 'resolved', server: 'resolved' })
  t.equal(await known.find('a:1'), identityId, 'remembered at first use')
  t.same(await handshake({ client: { trust } }), { client: 'resolved', server: 'resolved' })
  const server = { identity: otherIdentity }
  t.equal((await handshake({ client: { trust }, server })).client, 'SERVER_KEY_CHANGED')
  t.equal(
    (await handshake({ client: { trust: { server: 'b:1', key: identityId } }, server })).client,
    'SERVER_KEY_CHANGED',
  )
  t.equal((await handshake({ client: { trust: { ...trust, key: identityId } } })).client, 'resolved')
  t.equal((await handshake({ client: { trust: { server: 'a:1' } } })).client, 'SERVER_KEY_UNKNOWN')
  t.equal(await known.find('a:1'), identityId)
})

t.test('a key is remembered only when the server has shown that it holds it', async (t) => {
  const known = new MemoryKnownServers()
  const client = { trust: { server: 'a:1', known } }
  const silent: Rewrite = (packet, from, index) => (from === 'server' && index === 1 ? [flipped(packet, -1)] : [packet])
  t.equal((await handshake({ client }, silent)).client, 'FRAME_FORGED')
  t.equal(await known.find('a:1'), undefined)
})

t.test('two first uses at the same time cannot remember two keys', async (t) => {
  const known = new MemoryKnownServers()
  const find = known.find.bind(known)
  known.find = async () => undefined
  const client = { trust: { server: 'a:1', known } }
  t.equal((await handshake({ client })).client, 'resolved')
  t.equal((await handshake({ client, server: { identity: otherIdentity } })).client, 'SERVER_KEY_CHANGED')
  t.equal(await find('a:1'), identityId)
})

t.test('a version cannot be talked down', async (t) => {
  const versions = { lowest: 1, highest: 2 }
  const down = withHello((hello) => (hello.versions.highest = 1))
  t.same(await handshake({ client: { versions }, server: { versions } }, down), {
    client: 'HANDSHAKE_FORGED',
    server: 'CONNECTION_LOST',
  })
  const old = onServerHello((hello) => reencoded(hello, { version: 1 }))
  t.equal((await handshake({ client: { versions }, server: { versions } }, old)).client, 'HANDSHAKE_FORGED')
  const client = { versions: { lowest: 2, highest: 2 } }
  t.equal((await handshake({ client, server: { versions } }, old)).client, 'WIRE_DOWNGRADED')
  t.same(await handshake({ client }), { client: 'WIRE_NOT_AGREED', server: 'WIRE_NOT_AGREED' }, 'none in common')
})

t.test('a key size cannot be talked down', async (t) => {
  const to128 = withHello((hello) => (hello.offers = { ...hello.offers, ciphers: [3] }))
  t.equal((await handshake({ client: { encryption: 256 } }, to128)).client, 'WIRE_DOWNGRADED')
  t.same(await handshake({ server: { encryption: 256 } }, to128), {
    client: 'WIRE_NOT_AGREED',
    server: 'WIRE_NOT_AGREED',
  })
  const swapped = onServerHello((hello) => reencoded(hello, { cipher: 3 }))
  t.equal(
    (await handshake({ client: { encryption: 128 }, server: { encryption: 192 } }, swapped)).client,
    'HANDSHAKE_FORGED',
  )
  t.equal(
    (await handshake({ client: { encryption: 192 }, server: { encryption: 192 } }, swapped)).client,
    'WIRE_DOWNGRADED',
  )
})

t.test('encryption cannot be talked away', async (t) => {
  const clear = onServerHello((hello) => encodeServerHello({ ...hello.choices, cipher: 0 }, hello.random, undefined))
  t.equal((await handshake({ client: { encryption: 128 } }, clear)).client, 'WIRE_DOWNGRADED')
  const trust = { server: 'a:1', key: identityId }
  t.equal((await handshake({ client: { encryption: 0, trust } }, clear)).client, 'WIRE_DOWNGRADED', 'its key is known')
  const known = new MemoryKnownServers()
  await known.remember('a:1', identityId)
  t.equal(
    (await handshake({ client: { encryption: 0, trust: { server: 'a:1', known } } }, clear)).client,
    'WIRE_DOWNGRADED',
  )
  const none = withHello((hello) => (hello.offers = { ...hello.offers, ciphers: [0] }))
  t.equal((await handshake({ client: { encryption: 0 }, server: { encryption: 128 } }, none)).client, 'WIRE_NOT_AGREED')
})

t.test('the longer of both wishes is used, and the format and compression that both have', async (t) => {
  for (const [client, server, bits] of [
    [0, 0, 0],
    [0, 128, 128],
    [192, 0, 192],
    [128, 256, 256],
    [256, 128, 256],
  ] as const) {
    const pair = await connected({ encryption: client }, { encryption: server })
    t.equal(pair.client.agreement.bits, bits, `${client} and ${server}`)
    await pair.client.close()
  }
  const formats = await connected({ formats: ['msgpack', 'json'] }, { formats: ['json'], compressions: [deflate] })
  t.equal(formats.client.agreement.format.name, 'json')
  t.equal(formats.client.agreement.compression, undefined)
  await formats.client.close()
  const apart = { client: { formats: ['msgpack'] }, server: { formats: ['json'] } } as const
  t.same(await handshake(apart), { client: 'WIRE_NOT_AGREED', server: 'WIRE_NOT_AGREED' })
})

t.test('formats and compressions cannot be chosen by somebody else', async (t) => {
  const both = { client: { compressions: [deflate] }, server: { compressions: [deflate] } }
  const other = withHello((hello) => (hello.offers = { ...hello.offers, formats: [2, 1] }))
  t.equal((await handshake(both, other)).client, 'HANDSHAKE_FORGED')
  const plain = withHello((hello) => (hello.offers = { ...hello.offers, compressions: [0] }))
  t.equal((await handshake(both, plain)).client, 'HANDSHAKE_FORGED')
  const json = onServerHello((hello) => reencoded(hello, { format: 2 }))
  t.equal((await handshake(both, json)).client, 'HANDSHAKE_FORGED')
  t.equal((await handshake({ client: { formats: ['msgpack'] } }, json)).client, 'WIRE_DOWNGRADED')
  const unknown = onServerHello((hello) => reencoded(hello, { compression: 9 }))
  t.equal((await handshake(both, unknown)).client, 'WIRE_DOWNGRADED')
})

t.test('the key of a connection cannot be replaced', async (t) => {
  const own = boxPublicKey(1, new Uint8Array(32).fill(5))
  const swapped = onServerHello((hello) => {
    const { choices, random, keys, signature } = hello
    const signed = encodeServerHello(choices, random, { kemPublicKey: own, identity: keys?.identity ?? own })
    return new Uint8Array([...signed, ...signatureBytes(signature)])
  })
  t.equal((await handshake({}, swapped)).client, 'HANDSHAKE_FORGED')
})

t.test('a server cannot pass off the key of another as its own (unknown key share)', async (t) => {
  let clientHello = new Uint8Array(0)
  const man = middleman()
  const [client, towardsClient] = memoryTransports()
  const connecting = failure(connect(client, clientOptions()))
  const accepting = failure(accept(man.server, serverOptions()))
  // The false server signs the honest one's key of the connection with an identity of its own, and passes on the rest.
  towardsClient.start({
    packet(bytes) {
      if (bytes[0] === PACKET.CLIENT_HELLO) clientHello = bytes.slice()
      man.client.send(bytes, () => undefined)
    },
    ended: () => man.client.close(),
  })
  man.client.start({
    packet(bytes) {
      void (async () => {
        if (bytes[0] !== PACKET.SERVER_HELLO) {
          towardsClient.send(bytes, () => undefined)
          return
        }
        const { choices, random, keys } = decodeServerHello(bytes)
        if (keys === undefined) return
        const signed = encodeServerHello(choices, random, { ...keys, identity: otherIdentity.publicKey })
        const signature = await otherIdentity.sign(LABELS.wireServer, helloDigest(crypto, clientHello, signed))
        towardsClient.send(new Uint8Array([...signed, ...signature]), () => undefined)
      })()
    },
    ended: () => towardsClient.close(),
  })
  t.equal(await accepting, 'FRAME_FORGED')
  t.equal(await connecting, 'FRAME_FORGED')
})

t.test('what a client proves to one server, that one cannot prove to another', async (t) => {
  for (const encryption of [0, 128] as const) {
    const signatures: Uint8Array[] = []
    const watched: Signer = {
      ...someKey,
      async sign(purpose, digest) {
        const signature = await someKey.sign(purpose, digest)
        signatures.push(signature)
        return signature
      },
    }
    const pair = await connected({ encryption, proofs: [watched] }, { encryption, identity: otherIdentity })
    t.same(pair.server.agreement.provenKeys.length, 1)
    await pair.client.close()
    const thief: Signer = { ...someKey, sign: async () => signatureBytes(signatures[0]) }
    const outcome = await handshake({ client: { encryption, proofs: [thief] }, server: { encryption } })
    t.same(outcome, { client: 'HANDSHAKE_FORGED', server: 'HANDSHAKE_FORGED' })
  }
})

t.test('a key is proven once, and not too many of them', async (t) => {
  t.equal((await handshake({ client: { proofs: [someKey, someKey] } })).server, 'BAD_FORMAT')
  const many = Array.from({ length: 17 }, () => someKey)
  t.equal((await handshake({ client: { proofs: many } })).client, 'BAD_ARGUMENT')
})

t.test('a hello that comes back to its sender is refused', async (t) => {
  const [client, mirror] = memoryTransports()
  mirror.start({ packet: (bytes) => mirror.send(bytes, () => undefined), ended: () => undefined })
  await t.rejects(connect(client, clientOptions()), { code: 'FRAME_FORGED', message: /our own/ })
})

t.test('hellos and finishes that are too large are refused', async (t) => {
  const large: Rewrite = (packet, from, index) => [from === 'client' && index === 0 ? longer(packet, 2049) : packet]
  t.same(await handshake({}, large), { client: 'MESSAGE_TOO_LARGE', server: 'MESSAGE_TOO_LARGE' })
  const reply: Rewrite = (packet, from, index) => [from === 'server' && index === 0 ? longer(packet, 8193) : packet]
  t.equal((await handshake({}, reply)).client, 'MESSAGE_TOO_LARGE')
})

t.test('a later version may add to the hello, and what is added counts', async (t) => {
  const added: Rewrite = (packet, from, index) => [from === 'client' && index === 0 ? longer(packet, 1000) : packet]
  t.equal((await handshake({ client: { encryption: 0 }, server: { encryption: 0 } }, added)).client, 'resolved')
  t.equal((await handshake({}, added)).client, 'HANDSHAKE_FORGED')
})

t.test('any byte of the handshake that is changed ends it', async (t) => {
  const positions = (length: number): number[] =>
    [0, 1, 8, 9, 10, 12, 20, 43, 45, 46, 47, 50, 55, 60, -1].concat(
      Array.from({ length: 6 }, (_, i) => Math.floor((length * (i + 1)) / 7)),
    )
  const packets = [
    ['client', 0, 70],
    ['server', 0, 6613],
    ['client', 1, 1121],
    ['client', 2, 27],
    ['server', 1, 26],
  ] as const
  for (const [side, at, length] of packets) {
    for (const position of positions(length).filter((each) => each < length)) {
      const change: Rewrite = (packet, from, index) =>
        from === side && index === at ? [flipped(packet, position, 0x10)] : [packet]
      const { client } = await handshake({}, change)
      t.match(client, /^[A-Z_]{9,}$/, `byte ${position} of packet ${at} of the ${side}: ${client}`)
    }
  }
})

t.test('a target that is not served is refused before anything is computed', async (t) => {
  const checkTarget = (target: string): void => {
    throw new AteError('NOT_FOUND', `There is no ${target}.`)
  }
  t.same(await handshake({ server: { checkTarget } }), { client: 'NOT_FOUND', server: 'NOT_FOUND' })
})

t.test('what goes wrong inside of a server is not told', async (t) => {
  const checkTarget = (): void => {
    throw new AteError('ACCESS_DENIED', 'The file /srv/chains/secret cannot be read.')
  }
  const [here, there] = memoryTransports()
  const accepted = accept(there, serverOptions({ checkTarget }))
  await t.rejects(connect(here, clientOptions()), {
    code: 'CONNECTION_FAILED',
    message: 'The server refuses: It cannot go on.',
  })
  await t.rejects(accepted, { code: 'ACCESS_DENIED' })
})

t.test('a refusal is a reason to give up and nothing else', async (t) => {
  for (const code of ['SERVER_KEY_CHANGED', 'WRONG_PASSPHRASE', 'nonsense']) {
    const [client, server] = memoryTransports()
    server.start({
      packet: () => server.send(Uint8Array.of(6, code.length, ...Buffer.from(code), 3, 0, 27, 65, 10), () => undefined),
      ended: () => undefined,
    })
    await t.rejects(connect(client, clientOptions()), { code: 'CONNECTION_FAILED', message: 'The server refuses:  A ' })
  }
})

t.test('a server that encrypts has an identity, and one without accepts clients in clear only', async (t) => {
  const [, transport] = memoryTransports()
  await t.rejects(accept(transport, { crypto }), { code: 'BAD_ARGUMENT' })
  t.equal(
    (await handshake({ client: { encryption: 0 }, server: { encryption: 0, identity: undefined } })).client,
    'resolved',
  )
  const outcome = await handshake({ client: { encryption: 128 }, server: { encryption: 0, identity: undefined } })
  t.same(outcome, { client: 'WIRE_NOT_AGREED', server: 'WIRE_NOT_AGREED' })
  t.equal(identity.publicKey.length, 1984)
})

function reencoded(hello: ServerHello, choices: Partial<ServerHello['choices']>): Uint8Array {
  const signed = encodeServerHello({ ...hello.choices, ...choices }, hello.random, hello.keys)
  return new Uint8Array([...signed, ...signatureBytes(hello.signature)])
}

function longer(packet: Uint8Array, length: number): Uint8Array {
  const other = new Uint8Array(length)
  other.set(packet)
  return other
}

/** For where the types allow none. */
function signatureBytes(signature: Uint8Array | undefined): Uint8Array {
  return signature ?? new Uint8Array(0)
}
