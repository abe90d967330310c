/**
 * Packets that nobody wrote, and conversations changed at random: each side ends with a code, nothing else is thrown, no
 * timer is left, and nothing that was not sent is taken for a message where frames are sealed.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { isAteError } from '../../src/engine/error.js'
import { decodeClientHello } from '../../src/wire/client-hello.js'
import { FORMATS } from '../../src/wire/format.js'
import { accept, connect, memoryTransports, type Connection } from '../../src/wire/index.js'
import { decodePayload } from '../../src/wire/payload.js'
import { verifyProofs } from '../../src/wire/proofs.js'
import { decodeRefusal } from '../../src/wire/refusal.js'
import { decodeServerHello } from '../../src/wire/server-hello.js'
import { middleman, type Side } from '../helpers/middleman.js'
import { clientOptions, crypto, deflate, ManualTimers, serverOptions, settled, someKey } from '../helpers/wire.js'

const isLong = process.env['ATEFS_TEST_LONG'] !== undefined
const parameters = { seed: 20261121, numRuns: isLong ? 20_000 : 150 }

/** In base64, by what they are: of conversations with and without encryption, and what bounds have to hold against. */
const CORPUS = fileURLToPath(new URL('../fixtures/wire-packets.json', import.meta.url))

function harmless(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!isAteError(error)) throw error
  }
}

interface Change {
  side: Side
  at: number
  kind: 'flip' | 'cut' | 'grow' | 'drop' | 'repeat' | 'noise'
  where: number
  bits: number
}

const change: fc.Arbitrary<Change> = fc.record({
  side: fc.constantFrom<Side>('client', 'server'),
  at: fc.nat(6),
  kind: fc.constantFrom('flip', 'cut', 'grow', 'drop', 'repeat', 'noise'),
  where: fc.nat(10_000),
  bits: fc.integer({ min: 1, max: 255 }),
})

function changed(packet: Uint8Array, { kind, where, bits }: Change): Uint8Array[] {
  const at = where % Math.max(1, packet.length)
  switch (kind) {
    case 'flip':
      return [packet.map((byte, i) => (i === at ? byte ^ bits : byte))]
    case 'cut':
      return [packet.slice(0, at)]
    case 'grow':
      return [new Uint8Array([...packet, ...new Uint8Array(bits)])]
    case 'drop':
      return []
    case 'repeat':
      return [packet, packet]
    case 'noise':
      return [crypto.randomBytes(bits), packet]
  }
}

function parseAll(input: Uint8Array): void {
  harmless(() => decodeClientHello(input))
  harmless(() => decodeServerHello(input))
  harmless(() => decodeRefusal(input))
  harmless(() => decodePayload(input, deflate))
  harmless(() => verifyProofs(input, new Uint8Array(32)))
  for (const format of FORMATS) harmless(() => format.decode(input))
}

t.test('no parser of a packet fails in any other way', async () => {
  const magic = fc
    .constantFrom('', '\x01ATEFSNET\x01\0\x01\0', '\x02\x01\0', '\x06', '\0', '\x01\x10\0\0\0', '\x02\x05hello')
    .map((text) => Buffer.from(text, 'latin1'))
  const bytes = fc
    .tuple(magic, fc.uint8Array({ maxLength: 300 }))
    .map(([start, rest]) => new Uint8Array([...start, ...rest]))
  fc.assert(
    fc.property(bytes, (input) => {
      parseAll(input)
    }),
    { ...parameters, numRuns: 20 * parameters.numRuns },
  )
})

t.test('nor with packets of true conversations and of attackers, as they are and changed', async (t) => {
  const corpus = Object.entries(JSON.parse(readFileSync(CORPUS, 'utf8')) as Record<string, string>)
  t.ok(corpus.length > 30)
  const packets = corpus.map(([, base64]) => new Uint8Array(Buffer.from(base64, 'base64')))
  for (const packet of packets) {
    parseAll(packet)
    // Frames have 9 bytes before their payload, and a payload one before its messages.
    for (const header of [9, 10, 11]) parseAll(packet.subarray(header))
  }
  fc.assert(
    fc.property(
      fc.constantFrom(...packets),
      fc.nat(11),
      fc.array(change, { maxLength: 4 }),
      (packet, header, changes) => {
        const start: Uint8Array[] = [packet.slice(Math.min(header, packet.length))]
        for (const each of changes.reduce((all, next) => all.flatMap((one) => changed(one, next)), start))
          parseAll(each)
      },
    ),
    { ...parameters, numRuns: 10 * parameters.numRuns },
  )
})

/** The connection is over, by itself or when the other side hangs up; true when it was ended with a code of ours. */
async function ends(opening: Promise<Connection>, messages: unknown[]): Promise<boolean> {
  try {
    const connection = await opening
    const reading = (async () => {
      for await (const message of connection) messages.push(message)
    })()
    const isOurs = (error: unknown): boolean => {
      if (isAteError(error)) return true
      throw error
    }
    const [{ code }] = await Promise.all([connection.closed, reading.catch(isOurs)])
    return code.length > 0
  } catch (error) {
    if (isAteError(error)) return true
    throw error
  }
}

const packet = fc.oneof(
  fc.uint8Array({ maxLength: 120 }),
  fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6), fc.nat(3), fc.uint8Array({ maxLength: 60 }))
    .map(([type, number, rest]) => Uint8Array.of(type, number, 0, 0, 0, 0, 0, 0, 0, ...rest)),
)

t.test('a side that is sent noise ends with a code and leaves no timer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(packet, { maxLength: 5 }),
      fc.constantFrom<Side>('client', 'server'),
      async (packets, side) => {
        const timers = new ManualTimers()
        const [here, there] = memoryTransports()
        there.start({ packet: () => undefined, ended: () => undefined })
        const options = { timers, encryption: 0 } as const
        const opening = side === 'client' ? connect(here, clientOptions(options)) : accept(here, serverOptions(options))
        const ended = ends(opening, [])
        await settled()
        for (const each of packets) there.send(each, () => undefined)
        await settled()
        there.close()
        const isEnded = await ended
        await settled()
        return isEnded && timers.pending === 0
      },
    ),
    parameters,
  )
})

for (const encryption of [0, 128] as const) {
  t.test(`a conversation that is changed at random ends with a code, ${encryption} bits`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const timers = new ManualTimers()
        const man = middleman((packet, from, index) => {
          const wanted = changes.find(({ side, at }) => side === from && at === index)
          return wanted === undefined ? [packet] : changed(packet, wanted)
        })
        const options = { timers, encryption, compressions: [deflate] } as const
        const taken: Record<Side, unknown[]> = { client: [], server: [] }
        const connecting = connect(man.client, clientOptions({ ...options, proofs: [someKey] }))
        const accepting = accept(man.server, serverOptions(options))
        const talk = (opening: Promise<Connection>): Promise<void> =>
          opening.then(
            (connection) => {
              connection.send('hello')
              connection.send({ text: 'a'.repeat(1000) })
            },
            () => undefined,
          )
        const ended = Promise.all([ends(connecting, taken.client), ends(accepting, taken.server)])
        await Promise.all([timers.pass(0), talk(connecting), talk(accepting), timers.pass(20_000)])
        await settled()
        man.cut()
        const [client, server] = await ended
        await settled()
        const isTrue = (message: unknown): boolean =>
          message === 'hello' || JSON.stringify(message) === `{"text":"${'a'.repeat(1000)}"}`
        const areTrue = encryption === 0 || [...taken.client, ...taken.server].every(isTrue)
        return client && server && areTrue && timers.pending === 0
      }),
      { ...parameters, numRuns: Math.ceil(parameters.numRuns / 3) },
    )
  })
}
