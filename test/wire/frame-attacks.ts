/** What somebody on the way does to frames is noticed, named, and ends the connection on both sides. */
import t from 'tap'
import { MAX_PACKET_BYTES } from '../../src/wire/index.js'
import type { WishedBits } from '../../src/wire/offers.js'
import { connected, deflate, take } from '../helpers/wire.js'
import { flipped, middleman, type Rewrite } from '../helpers/middleman.js'

const HANDSHAKE_PACKETS: Record<number, number> = { 0: 2, 128: 3, 256: 3 }

interface Outcome {
  /** How the server ends, whom the attacked frames were for. */
  server: string
  client: string
  messages: unknown[]
}

/** The client sends 'one', 'two' and 'three' in frames of their own, which `attack` gets with their indices. */
async function attacked(
  encryption: 0 | 128 | 256,
  attack: (frame: Uint8Array, index: number) => Uint8Array[],
): Promise<Outcome> {
  const first = HANDSHAKE_PACKETS[encryption] ?? 0
  const rewrite: Rewrite = (packet, from, index) =>
    from === 'client' && index >= first ? attack(packet, index - first) : [packet]
  const man = middleman(rewrite)
  const { client, server } = await connected({ encryption }, { encryption }, [man.client, man.server])
  const messages: unknown[] = []
  const reading = (async () => {
    for await (const message of server) messages.push(message)
  })().catch(() => undefined)
  for (const message of ['one', 'two', 'three']) {
    try {
      client.send(message)
    } catch {
      // The attack was noticed by now.
    }
    await new Promise(setImmediate)
  }
  const reasons = await Promise.all([server.closed, client.closed])
  await reading
  return { server: reasons[0].code, client: reasons[1].code, messages }
}

for (const encryption of [0, 128, 256] as const) {
  const how = encryption === 0 ? 'in clear' : `with ${encryption} bits`

  t.test(`a frame that comes again is refused, ${how}`, async (t) => {
    const outcome = await attacked(encryption, (frame, index) => (index === 1 ? [frame, frame] : [frame]))
    t.same(outcome, { server: 'FRAME_REPLAYED', client: 'FRAME_REPLAYED', messages: ['one', 'two'] })
  })

  t.test(`frames in another order are refused, ${how}`, async (t) => {
    const held: Uint8Array[] = []
    const outcome = await attacked(encryption, (frame, index) => {
      if (index === 1) held.push(frame)
      return index === 1 ? [] : index === 2 ? [frame, ...held] : [frame]
    })
    t.same(outcome, { server: 'FRAME_MISSING', client: 'FRAME_MISSING', messages: ['one'] })
  })

  t.test(`a frame that was dropped is missed, ${how}`, async (t) => {
    const outcome = await attacked(encryption, (frame, index) => (index === 0 ? [] : [frame]))
    t.same(outcome, { server: 'FRAME_MISSING', client: 'FRAME_MISSING', messages: [] })
  })

  t.test(`a frame that is too large is refused, ${how}`, async (t) => {
    const large = new Uint8Array(MAX_PACKET_BYTES + 1)
    const outcome = await attacked(encryption, (frame, index) => {
      large.set(frame.subarray(0, 9))
      return index === 1 ? [large] : [frame]
    })
    t.same(outcome, { server: 'MESSAGE_TOO_LARGE', client: 'MESSAGE_TOO_LARGE', messages: ['one'] })
  })

  t.test(`a frame that comes back to its sender is refused, ${how}`, async (t) => {
    const man = middleman()
    const { client, server } = await connected({ encryption }, { encryption }, [man.client, man.server])
    client.send('mine')
    t.same(await take(server, 1), ['mine'])
    man.inject('client', man.seen.client.at(-1) ?? new Uint8Array(0))
    t.match(await client.closed, { code: 'FRAME_FORGED', message: /our own/ })
    t.equal((await server.closed).code, 'FRAME_FORGED')
  })
}

for (const encryption of [128, 256] as const) {
  t.test(`no byte of a frame can be changed with ${encryption} bits`, async (t) => {
    // Type, number, the sealed message, tag: a frame of 'two' has 9 + 1 + 1 + 4 + 16 bytes.
    for (const at of [0, 1, 2, 8, 9, 10, 11, 14, 15, 20, 30]) {
      const outcome = await attacked(encryption, (frame, index) => (index === 1 ? [flipped(frame, at)] : [frame]))
      t.same(outcome.messages, ['one'], `byte ${at}`)
      const expected = at === 0 ? 'FRAME_FORGED' : at < 9 ? /FRAME_MISSING|FRAME_REPLAYED|BAD_FORMAT/ : 'FRAME_FORGED'
      t.match(outcome.server, expected, `byte ${at}: ${outcome.server}`)
      t.equal(outcome.client, outcome.server)
    }
  })

  t.test(`a frame cannot be cut or continued with ${encryption} bits`, async (t) => {
    for (const change of [-1, -16, -17, 1, 40]) {
      const outcome = await attacked(encryption, (frame, index) => {
        const other = new Uint8Array(frame.length + change)
        other.set(frame.subarray(0, Math.min(frame.length, other.length)))
        return index === 1 ? [other] : [frame]
      })
      t.same(outcome.messages, ['one'])
      t.equal(outcome.server, 'FRAME_FORGED', `${change} bytes`)
    }
    for (const length of [0, 1, 8]) {
      const outcome = await attacked(encryption, (frame, index) => [index === 1 ? frame.subarray(0, length) : frame])
      t.same(outcome, { server: 'BAD_FORMAT', client: 'BAD_FORMAT', messages: ['one'] }, `${length} bytes`)
    }
  })

  t.test(`a frame of another connection is refused with ${encryption} bits`, async (t) => {
    let foreign: Uint8Array | undefined
    await attacked(encryption, (frame, index) => {
      if (index === 1) foreign = frame
      return index === 1 ? [frame, frame] : [frame]
    })
    const outcome = await attacked(encryption, (frame, index) => [index === 1 ? (foreign ?? frame) : frame])
    t.same(outcome, { server: 'FRAME_FORGED', client: 'FRAME_FORGED', messages: ['one'] })
  })
}

t.test('an end that only the network made is a loss, whatever was sent before', async (t) => {
  for (const encryption of [0, 128] satisfies WishedBits[]) {
    const man = middleman((packet, from, index) => (from === 'client' && index > 3 ? [] : [packet]))
    const { client, server } = await connected({ encryption }, { encryption }, [man.client, man.server])
    client.send('first')
    t.same(await take(server, 1), ['first'])
    const closing = client.close()
    await new Promise(setImmediate)
    man.cut()
    t.equal((await server.closed).code, encryption === 0 ? 'CONNECTION_CLOSED' : 'CONNECTION_LOST')
    await closing
  }
})

t.test('what is said after a goodbye is not taken', async (t) => {
  const man = middleman()
  const { client, server } = await connected({ encryption: 0 }, { encryption: 0 }, [man.client, man.server])
  const number = man.seen.client.length - 1
  // Close with the code CONNECTION_CLOSED, then a message, as frames in clear.
  const frame = (at: number, ...payload: number[]): Uint8Array => Uint8Array.of(4, at, 0, 0, 0, 0, 0, 0, 0, ...payload)
  man.inject('server', frame(number, 2, 17, ...Buffer.from('CONNECTION_CLOSED'), 0, 0))
  man.inject('server', frame(number + 1, 0, 1, 7))
  const messages: unknown[] = []
  for await (const message of server) messages.push(message)
  t.same(messages, [])
  t.equal((await server.closed).code, 'CONNECTION_CLOSED')
  await client.close()
})

t.test('frames that inflate to something else are refused before they take memory', async (t) => {
  const bomb = deflate.compress(new Uint8Array(64 * 1024 * 1024))
  const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]
  const cases: [number[], string][] = [
    [[1, ...u32(1024 * 1024), ...bomb.subarray(0, 1000)], 'MESSAGE_TOO_LARGE'],
    [[1, ...u32(0xffff_ffff), ...bomb.subarray(0, 1000)], 'MESSAGE_TOO_LARGE'],
    [[1, ...u32(1000), ...bomb], 'BAD_FORMAT'],
    [[1, ...u32(1000), ...deflate.compress(new Uint8Array(999))], 'BAD_FORMAT'],
    [[1, ...u32(0), ...bomb], 'BAD_FORMAT'],
    [[1, ...u32(100), 1, 2, 3], 'BAD_FORMAT'],
    [[1, 1], 'BAD_FORMAT'],
    // 4,097 messages without a byte, and one that is longer than what is there.
    [[1, ...u32(4097), ...deflate.compress(new Uint8Array(4097))], 'BAD_FORMAT'],
    [[0, 0xff, 0xff, 0xff, 0x7f], 'MESSAGE_TOO_LARGE'],
    [[0, 5, 1, 2], 'BAD_FORMAT'],
    [[3], 'BAD_FORMAT'],
    [[9], 'BAD_FORMAT'],
    [[2, 1], 'BAD_FORMAT'],
    [[2, 0, 1, 0, 0xff], 'BAD_FORMAT'],
  ]
  for (const [payload, code] of cases) {
    const man = middleman()
    const options = { encryption: 0, compressions: [deflate] } as const
    const { server } = await connected(options, options, [man.client, man.server])
    const before = process.memoryUsage().arrayBuffers
    man.inject('server', Uint8Array.from([4, 1, 0, 0, 0, 0, 0, 0, 0, ...payload]))
    t.equal((await server.closed).code, code, String(payload.slice(0, 8)))
    t.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024, 'memory is not taken')
  }
})

t.test('a compressed frame where no compression was agreed is refused', async (t) => {
  const man = middleman()
  const { server } = await connected({ encryption: 0 }, { encryption: 0 }, [man.client, man.server])
  man.inject('server', Uint8Array.of(4, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, ...deflate.compress(Uint8Array.of(0))))
  t.match(await server.closed, { code: 'BAD_FORMAT', message: /not agreed/ })
})

t.test('a message that is none of the agreed format ends the connection', async (t) => {
  for (const formats of [['msgpack'], ['json']] as const) {
    const man = middleman()
    const { client, server } = await connected({ encryption: 0, formats }, { encryption: 0 }, [man.client, man.server])
    man.inject('server', Uint8Array.of(4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0xc1, 0xc1))
    await t.rejects(take(server, 1), { code: 'BAD_FORMAT' })
    t.match(await server.closed, { code: 'BAD_FORMAT', by: 'here' })
    t.match(await client.closed, { code: 'BAD_FORMAT', by: 'there' })
  }
})
