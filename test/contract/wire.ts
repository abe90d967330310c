/** What connections must do over every transport. Called by the tests of the transports; never run by itself. */
import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'
import type { Packable } from '../../src/engine/codec/message-pack.js'
import { AteError } from '../../src/engine/error.js'
import type { FormatName, Transport, WishedBits } from '../../src/wire/index.js'
import { connected, deflate, failure, identityId, someKey, take } from '../helpers/wire.js'

/** Two ends of a new transport. */
export type MakeTransports = () => Promise<readonly [Transport, Transport]>

const MESSAGES: readonly Packable[] = [
  null,
  true,
  -7,
  1.5,
  2 ** 53 - 1,
  'text: \u{1f980} \0',
  Uint8Array.of(0, 1, 255),
  [],
  {},
  [[1, 'two', new Uint8Array(3)], { $bytes: 'AA==', $: { $$a: [null] }, plain: false }],
  { long: 'x'.repeat(70_000), bytes: new Uint8Array(300_000).fill(7) },
]

export async function wireContract(t: Test, make: MakeTransports): Promise<void> {
  await everySetting(t, make)
  await manyMessages(t, make)
  await endings(t, make)
  await slowReaders(t, make)
}

async function everySetting(t: Test, make: MakeTransports): Promise<void> {
  for (const encryption of [0, 128, 192, 256] satisfies WishedBits[]) {
    for (const format of ['msgpack', 'json'] satisfies FormatName[]) {
      for (const compressions of [[], [deflate]]) {
        const name = `${encryption} bits, ${format}, ${compressions.length === 0 ? 'not compressed' : 'compressed'}`
        await t.test(`messages arrive both ways: ${name}`, async (t) => {
          const options = { encryption, formats: [format], compressions }
          const { client, server } = await connected({ ...options, proofs: [someKey] }, options, await make())
          for (const side of [client, server]) {
            t.equal(side.agreement.bits, encryption)
            t.equal(side.agreement.format.name, format)
            t.equal(side.agreement.compression?.id, compressions[0]?.id)
            t.equal(side.agreement.serverKey, encryption === 0 ? undefined : identityId)
            const proven = [{ suite: someKey.suite, publicKey: someKey.publicKey }]
            t.ok(isDeepStrictEqual(side.agreement.provenKeys, proven), 'the key of the client is proven')
          }
          t.same(client.agreement.transcript, server.agreement.transcript)
          for (const message of MESSAGES) client.send(message)
          for (const message of MESSAGES) server.send(message)
          t.ok(isDeepStrictEqual(await take(server, MESSAGES.length), MESSAGES), 'what the client sent')
          t.ok(isDeepStrictEqual(await take(client, MESSAGES.length), MESSAGES), 'what the server sent')
          t.equal((await client.close()).code, 'CONNECTION_CLOSED')
          t.match(await server.closed, { code: 'CONNECTION_CLOSED', by: 'there' })
        })
      }
    }
  }
}

async function manyMessages(t: Test, make: MakeTransports): Promise<void> {
  await t.test('three thousand messages arrive in order, while as many go the other way', async (t) => {
    const { client, server } = await connected({}, {}, await make())
    const count = 3000
    const send = async (from: typeof client): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await from.ready()
        from.send([i, new Uint8Array(100)])
      }
    }
    const receive = async (to: typeof client): Promise<boolean> => {
      const messages = await take(to, count)
      return messages.every((message, i) => Array.isArray(message) && message[0] === i)
    }
    const [, , atServer, atClient] = await Promise.all([send(client), send(server), receive(server), receive(client)])
    t.ok(atServer)
    t.ok(atClient)
    await client.close()
  })

  await t.test('the keys are changed while messages go on', async (t) => {
    const keyLimits = { frames: 3, bytes: 500 }
    const { client, server } = await connected({ keyLimits }, { keyLimits }, await make())
    for (let i = 0; i < 20; i++) {
      client.send(i)
      server.send(new Uint8Array(60 * i))
      t.same(await take(server, 1), [i])
      t.ok(isDeepStrictEqual(await take(client, 1), [new Uint8Array(60 * i)]))
    }
    t.equal((await client.close()).code, 'CONNECTION_CLOSED')
  })
}

async function endings(t: Test, make: MakeTransports): Promise<void> {
  await t.test('a goodbye comes after what was sent, and ends the reading without an error', async (t) => {
    const { client, server } = await connected({}, {}, await make())
    client.send('last')
    const [reason] = await Promise.all([client.close(), server.closed])
    t.match(reason, { code: 'CONNECTION_CLOSED', by: 'here' })
    const read: unknown[] = []
    for await (const message of server) read.push(message)
    t.same(read, ['last'])
    t.throws(() => server.send('too late'), { code: 'CONNECTION_CLOSED' })
    t.throws(() => client.send('too late'), { code: 'CONNECTION_CLOSED' })
    t.equal(await failure(client.ready()), 'CONNECTION_CLOSED')
    t.match(await client.close(), { code: 'CONNECTION_CLOSED', by: 'here' }, 'again')
  })

  await t.test('a side that ends with an error tells its code', async (t) => {
    const { client, server } = await connected({}, {}, await make())
    const reading = failure(take(client, 1))
    await server.close(new AteError('NOT_AUTHORIZED', 'not you\x1b[31m'))
    t.match(await client.closed, { code: 'NOT_AUTHORIZED', message: 'not you [31m', by: 'there' })
    t.equal(await reading, 'NOT_AUTHORIZED')
  })

  await t.test('an end without a goodbye is a loss, for readers too', async (t) => {
    const [here, there] = await make()
    const { client, server } = await connected({}, {}, [here, there])
    const reading = failure(take(client, 1))
    there.destroy()
    t.match(await client.closed, { code: 'CONNECTION_LOST', by: 'there' })
    t.equal(await reading, 'CONNECTION_LOST')
    t.match(await server.closed, { code: 'CONNECTION_LOST' })
    t.throws(() => client.send(1), { code: 'CONNECTION_LOST' })
  })

  await t.test('a signal closes it', async (t) => {
    const giveUp = new AbortController()
    const { client, server } = await connected({ signal: giveUp.signal }, {}, await make())
    giveUp.abort()
    t.match(await client.closed, { code: 'CONNECTION_CLOSED', by: 'here' })
    t.match(await server.closed, { code: 'CONNECTION_CLOSED', by: 'there' })
  })

  await t.test('both sides may say goodbye at once, while neither reads', async (t) => {
    const { client, server } = await connected({ maxUnreadBytes: 1000 }, { maxUnreadBytes: 1000 }, await make())
    for (let i = 0; i < 100; i++) {
      client.send(new Uint8Array(1000))
      server.send(new Uint8Array(1000))
    }
    const reasons = await Promise.all([client.close(), server.close()])
    for (const reason of reasons) t.match(reason, { code: 'CONNECTION_CLOSED', by: 'here' })
  })
}

async function slowReaders(t: Test, make: MakeTransports): Promise<void> {
  await t.test(
    'a reader that does not read is told to the writer, and loses nothing when he reads again',
    async (t) => {
      const { client, server } = await connected(
        { maxUnsentBytes: 4_000_000 },
        { maxUnreadBytes: 100_000 },
        await make(),
      )
      let sent = 0
      let lagged = ''
      while (lagged === '' && sent < 2000) {
        try {
          client.send([sent, new Uint8Array(50_000)])
          sent++
        } catch (error) {
          lagged = error instanceof AteError ? error.code : String(error)
        }
        await new Promise(setImmediate)
      }
      t.equal(lagged, 'LAGGED')
      t.ok(client.unsentBytes <= 4_000_000, `${client.unsentBytes} bytes wait`)
      const ready = client.ready()
      const messages = await take(server, sent)
      t.ok(messages.every((message, i) => Array.isArray(message) && message[0] === i))
      await ready
      client.send('after')
      t.same(await take(server, 1), ['after'])
      await client.close()
    },
  )
}
