/** Messages that no server sends: a client keeps what it has, ends that connection or the copy with a code, and throws nothing else. */
import fc from 'fast-check'
import t from 'tap'
import type { Packable } from '../../src/engine/codec/message-pack.js'
import { isErrorCode } from '../../src/engine/error.js'
import { Relay } from '../helpers/relay.js'
import { machine, NAME, store, texts } from '../helpers/remote-chains.js'
import { settled } from '../helpers/wire.js'

const isLong = process.env['ATEFS_TEST_LONG'] !== undefined
const parameters = { seed: 20261123, numRuns: isLong ? 2000 : 20 }

const bytes = (...lengths: number[]): fc.Arbitrary<Packable> =>
  fc.constantFrom(...lengths).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
const number = fc.oneof(fc.constantFrom(0, 1, 2, 3, -1, 1.5, Number.MAX_SAFE_INTEGER), fc.integer())
const anything: fc.Arbitrary<Packable> = fc.oneof(
  number,
  fc.constantFrom(null, true, '', 'x'.repeat(2000)),
  bytes(0, 32),
)
const FIELDS: Record<string, fc.Arbitrary<Packable>> = {
  sequence: number,
  digest: bytes(32, 32, 31),
  term: fc.oneof(fc.constantFrom(0, 1, 2), number),
  timeMs: number,
  signature: bytes(3373, 64),
  code: fc.constantFrom('LAGGED', 'LOCK_LOST', 'BATCH_REFUSED', 'NO_SUCH_CODE', ''),
  message: fc.string({ maxLength: 20 }),
  bytes: bytes(0, 20, 1000),
  more: fc.boolean(),
  keyring: bytes(0, 100),
  bodies: fc.constant([null]),
  outcome: fc.constantFrom('granted', 'held', 'lost'),
  lease: bytes(16),
  held: fc.constant(null),
}
const isGiven = (entry: [string, Packable | undefined]): entry is [string, Packable] => entry[1] !== undefined
/** Most of the fields, most of them of the right kind: what a type does not know is ignored. */
const body = fc
  .record(FIELDS, { requiredKeys: [] })
  .chain((some) => fc.oneof({ weight: 3, arbitrary: fc.record(FIELDS) }, { weight: 1, arbitrary: fc.constant(some) }))
  .map((fields) => Object.fromEntries(Object.entries<Packable | undefined>(fields).filter(isGiven)))
const types = fc.constantFrom(
  'batch',
  'head',
  'recall',
  'accepted',
  'refused',
  'keyring',
  'turn',
  'follow',
  'barrier',
  '',
)
/** Pushes, and answers to what was asked or not. The channel is that of the client, mostly. */
const said = fc.tuple(
  fc.constantFrom<'own' | number>('own', 'own', 'own', 0, 255),
  fc.constantFrom(3, 3, 3, 1, 2, 0, 4),
  fc.nat(6),
  types,
  fc.oneof({ weight: 8, arbitrary: body }, anything),
)

t.test('whatever a server says, what was committed is there, and the chain can be opened again', async (t) => {
  const ends = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 8 }), async (messages) => {
      const relay = new Relay()
      relay.keepMs = 1
      const one = await machine(relay, { patienceMs: 50 })
      await store(one, 'kept')
      await one.remote.accepted()
      const chain = relay.chains.get(NAME)
      const [member] = chain?.members ?? []
      if (chain === undefined || member === undefined) throw new Error('nobody follows')
      const ended = member.peer.closed
      // Something is asked meanwhile.
      const asking = one.remote.refresh().catch(() => undefined)
      for (const [channel, ...rest] of messages)
        try {
          member.peer.connection.send([channel === 'own' ? member.channel : channel, ...rest])
        } catch {
          // It has ended by now.
        }
      await settled()
      await settled()
      const { problem } = one.remote.status()
      if ((await texts(one)).join() !== 'kept') throw new Error('what was committed is gone')
      await one.kill()
      await asking
      const { code } = await ended
      for (const each of [code, problem?.code]) {
        if (each === undefined) continue
        if (!isErrorCode(each)) throw new Error('it ended without a code')
        ends.add(each)
      }
      const { keys, storage } = one
      const again = await machine(relay, { keys, storage })
      await store(again, 'more')
      await again.remote.accepted()
      if (chain.batches.length !== 2) throw new Error('it does not go on')
      await again.close()
    }),
    parameters,
  )
  t.ok(ends.has('BAD_FORMAT') && ends.size > 2, [...ends].join(' '))
})
