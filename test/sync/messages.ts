/** Bodies of messages: what a side sends another reads, in both formats, and nothing else is taken. */
import * as fc from 'fast-check'
import t from 'tap'
import type { Packable } from '../../src/engine/codec/message-pack.js'
import { errorCode } from '../../src/engine/error.js'
import { SIGNATURE_BYTES, SIGNATURE_PUBLIC_KEY_BYTES } from '../../src/engine/crypto/signature.js'
import { decodeMessage, encodeMessage } from '../../src/sync/envelope.js'
import { decodeFailure, encodeFailure } from '../../src/sync/failures.js'
import { checkForkEvidence, encodeForkEvidence, MAX_EVIDENCE_BYTES } from '../../src/sync/index.js'
import { nobleProvider } from '../../src/engine/crypto/noble-provider.js'
import { serverKeyId } from '../../src/wire/index.js'
import { failure, failureDetail, isForkProven, isHeadAuthentic, type Opened, signHead } from '../../src/sync/index.js'
import { PUSHES, type PushMap, type PushType } from '../../src/sync/pushes.js'
import { type RequestMap, REQUESTS, type RequestType } from '../../src/sync/requests.js'
import { FORMATS } from '../../src/wire/format.js'
import { crypto, identity, otherIdentity } from '../helpers/wire.js'

const digest = new Uint8Array(32).fill(5)
const point = { sequence: 12, digest }
const keyring = new Uint8Array(100).fill(1)
const made = { id: new Uint8Array(16).fill(2), suite: 1, trust: 'centralized', keyring } as const
const signer = { suite: 1, publicKey: new Uint8Array(SIGNATURE_PUBLIC_KEY_BYTES) } as const
const proof = { ...signer, signature: new Uint8Array(SIGNATURE_BYTES) } as const
const compaction = { mode: 'size-or-timer', timerMs: 1000, factor: 0.25, sizeBytes: 4096 } as const
const opened: Opened = { channel: 1, ...made, signer, compaction, ...point }
const head = { ...point, timeMs: 1_700_000_000_000, signature: new Uint8Array(SIGNATURE_BYTES) }

const file = new Uint8Array(16).fill(3)
const owner = new Uint8Array(8).fill(4)

const asked: { [T in RequestType]: RequestMap[T] } = {
  open: { request: { chain: 'team/notes' }, reply: opened },
  create: { request: { chain: 'notes', ...made, keyring: null, writer: signer }, reply: { ...opened, keyring: null } },
  list: { request: { after: 'b' }, reply: { chains: [{ chain: 'c', sequence: 1, bytes: 2 }], more: true } },
  follow: { request: { ...point, content: 'none' }, reply: point },
  bodies: { request: { sequence: 7, numbers: [3, 9] }, reply: { bodies: [new Uint8Array(200), null] } },
  barrier: { request: { everything: { session: new Uint8Array(16), proof: null } }, reply: point },
  turn: { request: { session: new Uint8Array(16), term: 3, ...point, proof }, reply: { term: 4, ...point } },
  release: { request: { term: 4 }, reply: {} },
  drop: {
    request: {
      term: 4,
      numbers: [
        [1, 3],
        [5, 5],
      ],
      upTo: 7,
    },
    reply: { upTo: 3 },
  },
  keyring: { request: { term: 4, keyring }, reply: {} },
  leave: { request: {}, reply: {} },
  lease: {
    request: { session: new Uint8Array(16), lease: null, proof: null },
    reply: { lease: new Uint8Array(16), isReturning: true },
  },
  reclaim: {
    request: { locks: [{ file: new Uint8Array(16), owner: new Uint8Array(8), from: 0, to: 9, isExclusive: true }] },
    reply: { outcome: 'granted' },
  },
  lock: {
    request: { file, owner, from: 5, to: 2 ** 53 - 1, isExclusive: true, ticket: 7, detects: false },
    reply: { outcome: 'granted' },
  },
  unlock: { request: { file, owner, from: 0, to: 0 }, reply: { outcome: 'too-many' } },
  test: {
    request: { file, owner, from: 0, to: 9, isExclusive: false },
    reply: { held: { owner, from: 3, to: 4, isExclusive: true, isOwn: false } },
  },
  unwait: { request: { ticket: 7 }, reply: {} },
}
const pushed: PushMap = {
  batch: { bytes: new Uint8Array(1000).fill(7), more: false, term: 4 },
  head,
  recall: { term: 4 },
  accepted: point,
  refused: { term: 4, sequence: 13, code: 'BATCH_REFUSED', message: 'no' },
  keyring: { keyring },
}

const shapes: [name: string, body: Packable, read: (value: unknown) => unknown][] = [
  ...(Object.keys(asked) as RequestType[]).flatMap((type): typeof shapes => [
    [type, asked[type].request, (value) => REQUESTS[type].request(value, type)],
    [`reply to ${type}`, asked[type].reply, (value) => REQUESTS[type].reply(value, type)],
  ]),
  ...(Object.keys(pushed) as PushType[]).map((type): (typeof shapes)[number] => [
    `push ${type}`,
    pushed[type],
    (value) => PUSHES[type](value, type),
  ]),
]

t.test('what is sent is read, in every format', async (t) => {
  for (const format of FORMATS)
    for (const [name, body, read] of shapes) {
      const frame = encodeMessage({ channel: 3, kind: 'push', number: 0, type: 'any' }, body)
      const message = decodeMessage(format.decode(format.encode(frame)))
      t.strictSame(read(message.body), body, `${name} in ${format.name}`)
    }
})

t.test('anything else is refused with BAD_FORMAT, whatever it is', async () => {
  const spoilt = fc.oneof(
    fc.anything({ withBigInt: true, withTypedArray: true }),
    fc
      .constantFrom(...shapes.map(([, body]) => body))
      .chain((body) =>
        fc
          .record({ name: fc.constantFrom(...Object.keys(body as object), 'x'), value: fc.anything({ maxDepth: 2 }) })
          .map(({ name, value }) => ({ ...(body as object), [name]: value })),
      ),
  )
  fc.assert(
    fc.property(spoilt, (value) => {
      const reads = [...shapes.map(([, , read]) => read), (value: unknown) => decodeMessage(value), decodeFailure]
      return reads.every((read) => {
        try {
          read(value)
          return true
        } catch (error) {
          return errorCode(error) === 'BAD_FORMAT'
        }
      })
    }),
    { seed: 4, numRuns: 2000 },
  )
})

t.test('lengths have bounds', async (t) => {
  const refused: [() => unknown, string][] = [
    [() => PUSHES.batch({ bytes: new Uint8Array(512 * 1024 + 1), more: true }, 'batch'), 'a part'],
    [() => REQUESTS.open.request({ chain: 'x'.repeat(1025) }, 'open'), 'a name'],
    [() => REQUESTS.drop.request({ term: 1, numbers: [[3, 2]] }, 'drop'), 'a range that descends'],
    [() => REQUESTS.drop.request({ term: 1, numbers: [[3]] }, 'drop'), 'half a range'],
    [() => REQUESTS.drop.request({ term: 1, numbers: [[1, 2, 3]] }, 'drop'), 'more than a range'],
    [() => REQUESTS.create.request({ chain: 'a', ...made, trust: 'none' }, 'create'), 'another trust'],
  ]
  for (const [read, what] of refused) t.throws(read, { code: 'BAD_FORMAT' }, what)
})

t.test('failures of later versions are failures', async (t) => {
  t.equal(decodeFailure({ code: 'SOMETHING_NEW', message: 'new' }).code, 'INPUT_OUTPUT')
  const sent = decodeFailure(encodeFailure(failure('CHAIN_FORKED', 'Another history.', { head })))
  t.equal(sent.code, 'CHAIN_FORKED')
  t.strictSame(failureDetail(sent), { trust: null, head, server: null })
  const server = '192.0.2.1:5000'
  t.equal(failureDetail(decodeFailure(encodeFailure(failure('OTHER_SERVER', 'There.', { server }))))?.server, server)
  t.notOk(
    decodeFailure({ code: 'READ_ONLY', message: 'a\u001b[2Jb' }).message.includes('\u001b'),
    'a terminal obeys none',
  )
})

t.test('two signed heads of one sequence prove a fork; nothing else does', async (t) => {
  const chainId = made.id
  const one = await signHead(crypto, identity, chainId, point, 1)
  const other = await signHead(crypto, identity, chainId, { ...point, digest: new Uint8Array(32) }, 2)
  const later = await signHead(crypto, identity, chainId, { ...point, sequence: 13 }, 3)
  const forged = await signHead(crypto, otherIdentity, chainId, { ...point, digest: new Uint8Array(32) }, 2)
  t.ok(isHeadAuthentic(crypto, identity, chainId, one))
  t.notOk(isHeadAuthentic(crypto, identity, new Uint8Array(16), one), 'of another chain')
  t.notOk(isHeadAuthentic(crypto, identity, chainId, { ...one, timeMs: 2 }), 'of another time')
  t.ok(isForkProven(crypto, identity, { chainId, one, other }))
  t.notOk(isForkProven(crypto, identity, { chainId, one, other: one }), 'the same head twice')
  t.notOk(isForkProven(crypto, identity, { chainId, one, other: later }), 'heads of two sequences')
  t.notOk(isForkProven(crypto, identity, { chainId, one, other: forged }), 'of another server')
})

t.test(
  'evidence is checked by anybody from its bytes alone, and says whose it is and whether it is proof',
  async (t) => {
    const chainId = made.id
    const one = await signHead(crypto, identity, chainId, point, 1)
    const other = await signHead(crypto, identity, chainId, { ...point, digest: new Uint8Array(32) }, 2)
    const later = await signHead(crypto, identity, chainId, { ...point, sequence: 13 }, 3)
    const bytes = encodeForkEvidence({ chainId, one, other }, identity)
    const report = checkForkEvidence(nobleProvider, bytes)
    t.strictSame(report, {
      serverKey: serverKeyId(crypto, identity),
      chainId: '02'.repeat(16),
      sequences: [12, 12],
      isProven: true,
    })
    t.notOk(checkForkEvidence(crypto, encodeForkEvidence({ chainId, one, other: later }, identity)).isProven)
    t.notOk(
      checkForkEvidence(crypto, encodeForkEvidence({ chainId, one, other }, otherIdentity)).isProven,
      'of another',
    )
    for (let at = 0; at < bytes.length; at += 97) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      let proven = false
      try {
        proven = checkForkEvidence(crypto, changed).isProven
      } catch (error) {
        t.ok(['BAD_FORMAT', 'UNSUPPORTED_FORMAT'].includes(errorCode(error) ?? ''), `byte ${at}`)
      }
      // The times of the heads and the name of the key are signed too: no byte may change.
      t.notOk(proven, `byte ${at}`)
    }
    t.throws(() => checkForkEvidence(crypto, bytes.subarray(0, 1000)), { code: 'BAD_FORMAT' })
    t.throws(() => checkForkEvidence(crypto, new Uint8Array(MAX_EVIDENCE_BYTES + 1)), { code: 'BAD_FORMAT' })
  },
)

t.test(
  'a server that says not when it wants chains compacted, or in words of a later version, leaves it to clients',
  (t) => {
    const hintIn = (compaction: unknown): unknown => REQUESTS.open.reply({ ...opened, compaction }, 'reply').compaction
    for (const nothing of [undefined, null, { ...compaction, mode: 'at-night' }]) t.equal(hintIn(nothing), null)
    for (const wrong of [
      {},
      { mode: 'size' },
      { ...compaction, factor: 0 },
      { ...compaction, factor: NaN },
      { ...compaction, timerMs: 0.5 },
    ])
      t.throws(() => hintIn(wrong), { code: 'BAD_FORMAT' })
    t.end()
  },
)
