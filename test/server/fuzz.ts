/** Messages that no client sends: a server answers, or ends that connection with a code, and others notice nothing. */
import fc from 'fast-check'
import t from 'tap'
import { isErrorCode } from '../../src/engine/error.js'
import type { Packable } from '../../src/engine/codec/message-pack.js'
import { LOCK_REQUESTS } from '../../src/sync/lock-requests.js'
import { START } from '../../src/sync/index.js'
import { LEASE_BYTES, LOCK_FILE_BYTES } from '../../src/sync/limits.js'
import { LocalChain, MemoryStores, serverOn, TestClient } from '../helpers/chain-server.js'
import { connected, settled } from '../helpers/wire.js'

const isLong = process.env['ATEFS_TEST_LONG'] !== undefined
const parameters = { seed: 20261122, numRuns: isLong ? 5000 : 150 }
const TYPES =
  'open create list follow bodies barrier turn release drop keyring leave batch head recall accepted refused ' +
  Object.keys(LOCK_REQUESTS).join(' ')

const bytes = (lengths: readonly number[]): fc.Arbitrary<Packable> =>
  fc.constantFrom(...lengths).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
const number = fc.oneof(fc.constantFrom(0, 1, 2, 3, -1, 1.5, 2 ** 40, Number.MAX_SAFE_INTEGER), fc.integer())
const anything: fc.Arbitrary<Packable> = fc.oneof(
  number,
  fc.constantFrom(null, true, '', 'notes', '..', 'x'.repeat(2000)),
  bytes([0, 16, 32, 100]),
  fc.array(fc.tuple(number, number), { maxLength: 4 }),
)
const FIELDS: Record<string, fc.Arbitrary<Packable>> = {
  chain: fc.constantFrom('notes', 'others', '../notes', ''),
  session: bytes([16, 16, 15]),
  term: number,
  sequence: number,
  digest: bytes([32, 32, 31]),
  numbers: fc.oneof(fc.array(fc.tuple(number, number), { maxLength: 4 }), fc.array(number, { maxLength: 70 })),
  content: fc.constantFrom('all', 'none', 'some'),
  upTo: number,
  keyring: bytes([0, 100]),
  bytes: bytes([0, 20, 1000]),
  more: fc.boolean(),
  after: fc.constantFrom('', 'n'),
  proof: fc.constant(null),
  file: bytes([LOCK_FILE_BYTES, LOCK_FILE_BYTES, 3]),
  owner: bytes([8, 0, 300]),
  from: number,
  to: number,
  isExclusive: fc.boolean(),
  ticket: number,
  detects: fc.boolean(),
  lease: fc.oneof(fc.constant(null), bytes([LEASE_BYTES])),
  locks: fc.constant([]),
}
/** Some fields, most of them of the right kind. */
const body: fc.Arbitrary<Packable> = fc
  .array(
    fc
      .constantFrom(...Object.entries(FIELDS))
      .chain(([name, right]) =>
        fc.oneof({ weight: 8, arbitrary: right }, anything).map((value): [string, Packable] => [name, value]),
      ),
    { maxLength: 12 },
  )
  .map((fields) => Object.fromEntries(fields))
const message: fc.Arbitrary<Packable> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(
        fc.constantFrom(0, 0, 1, 2, 255),
        fc.constantFrom(0, 0, 0, 3, 1, 2, 4),
        fc.nat(5),
        fc.oneof(fc.constantFrom(...TYPES.split(' ')), fc.string({ maxLength: 40 })),
        fc.oneof({ weight: 8, arbitrary: body }, anything),
      )
      .map((parts): Packable => parts),
  },
  { weight: 1, arbitrary: anything },
)

t.test('whatever is said to a server, the chain stays as it is, and who behaves is served', async (t) => {
  const server = serverOn(new MemoryStores())
  const local = await LocalChain.make(100, 200)
  const owner = await (await TestClient.to(server)).create('notes')
  const { term } = await owner.turn(START)
  await owner.upload(term, await local.batches())
  await owner.until(() => owner.accepted.at(-1) === 2)
  const codes = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 12 }), async (messages) => {
      const { client, server: there } = await connected({ encryption: 0 }, { encryption: 0 })
      server.accept(there, 'db')
      try {
        client.send([0, 0, 1000, 'open', { chain: 'notes' }])
        for (const each of messages) client.send(each)
      } catch {
        // It has ended by now.
      }
      await settled()
      await settled()
      void client.close()
      const { code } = await client.closed
      if (!isErrorCode(code)) throw new Error('it ended without a code')
      codes.add(code)
      const { sequence } = await owner.barrier()
      if (sequence !== 2) throw new Error('the chain was changed')
    }),
    parameters,
  )
  t.strictSame([...codes].sort(), ['BAD_FORMAT', 'CONNECTION_CLOSED'])
  t.equal(server.counts().connections, 1)
  await local.add(300)
  await owner.upload(term, await local.batches(3))
  await owner.until(() => owner.accepted.at(-1) === 3)
  await server.close()
})
