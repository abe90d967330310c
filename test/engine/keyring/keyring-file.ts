/** Keyrings as an attacker without the root key would write them: parsed, never believed. */
import fc from 'fast-check'
import t from 'tap'
import { nativeCrypto as crypto } from '../../../src/adapters/node/native-crypto.js'
import { fromLatin1 } from '../../../src/engine/bytes/latin1.js'
import { encodeMessagePack, type Packable } from '../../../src/engine/codec/message-pack.js'
import { errorCode } from '../../../src/engine/error.js'
import { addSlot, createKeyring, describeKeyring, openKeyring } from '../../../src/engine/keyring/keyring.js'
import { decodeKeyring, encodeKeyring, type Keyring } from '../../../src/engine/keyring/keyring-file.js'

const cost = { memoryKiB: 8, passes: 1, lanes: 1 }
const rootKey = new Uint8Array(32).fill(3)
const passphrase = fromLatin1('correct horse')
const slot = { passphrase, label: 'laptop', cost, createdMs: 1234 }
const file = await createKeyring(crypto, { ...slot, chainId: new Uint8Array(16), suite: 1, rootKey })
const parsed = decodeKeyring(file)
const [first] = parsed.slots
if (first === undefined) throw new Error('a keyring has a slot')

/** The file with another content, and the checksum set right: what anybody can do. The MAC is the old one. */
function forged(change: Partial<Keyring>): Uint8Array {
  return resealed(encodeKeyring(crypto, { ...parsed, ...change }, new Uint8Array(32)))
}

function resealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  new DataView(copy.buffer).setUint32(copy.length - 4, crypto.crc32(copy.subarray(0, -4)), true)
  return copy
}

function withBody(body: Packable, version = 1): Uint8Array {
  const packed = encodeMessagePack(body)
  const bytes = new Uint8Array(14 + packed.length + 36)
  bytes.set(file.subarray(0, 8))
  const view = new DataView(bytes.buffer)
  view.setUint16(8, version, true)
  view.setUint32(10, packed.length, true)
  bytes.set(packed, 14)
  return resealed(bytes)
}

t.test('a file that its key does not authenticate is damaged, although a slot opens', async (t) => {
  for (const change of [
    {},
    { generation: 7 },
    { slots: [first, { ...first, id: new Uint8Array(8), label: 'mine' }] },
  ]) {
    await t.rejects(openKeyring(crypto, forged(change), passphrase), {
      code: 'KEYRING_DAMAGED',
      message: /without its key/,
    })
  }
})

t.test('a slot moved to another chain, suite or id does not open', async (t) => {
  const moved: Partial<Keyring>[] = [
    { chainId: new Uint8Array(16).fill(1) },
    { suite: 2 },
    { slots: [{ ...first, id: new Uint8Array(8) }] },
    { slots: [{ ...first, salt: new Uint8Array(32) }] },
    { slots: [{ ...first, cost: { ...cost, passes: 2 } }] },
    { slots: [{ ...first, wrapId: new Uint8Array(32) }] },
    { slots: [{ ...first, nonce: new Uint8Array(12) }] },
    { slots: [{ ...first, wrapped: new Uint8Array(48) }] },
  ]
  for (const change of moved) {
    await t.rejects(openKeyring(crypto, forged(change), passphrase), { code: 'WRONG_PASSPHRASE' })
  }
})

t.test('a cost that nobody would choose is refused before it is spent, alone or in sum', async (t) => {
  const absurd = { ...first, cost: { memoryKiB: 2 ** 32 - 1, passes: 2 ** 32 - 1, lanes: 1 } }
  await t.rejects(openKeyring(crypto, forged({ slots: [absurd] }), passphrase), { code: 'KEYRING_DAMAGED' })
  const costly = { ...first, cost: { memoryKiB: 1024 * 1024, passes: 4, lanes: 1 } }
  t.doesNotThrow(() => decodeKeyring(forged({ slots: [costly] })))
  const many = new Array<typeof costly>(4).fill(costly)
  t.throws(() => decodeKeyring(forged({ slots: many })), { code: 'KEYRING_DAMAGED', message: /Argon2id/ })
})

t.test('no slot, too many slots, and fields of another shape are damage', async (t) => {
  t.throws(() => decodeKeyring(forged({ slots: [] })), { code: 'KEYRING_DAMAGED' })
  t.throws(() => decodeKeyring(forged({ slots: new Array<typeof first>(65).fill(first) })), { code: 'KEYRING_DAMAGED' })
  t.throws(() => decodeKeyring(forged({ generation: 0 })), { code: 'KEYRING_DAMAGED' })
  const { suite, generation } = parsed
  const shortId = { chainId: new Uint8Array(15), suite, generation, slots: [] }
  for (const body of [null, 1, 'text', [], {}, { slots: {} }, shortId]) {
    t.throws(() => decodeKeyring(withBody(body)), { code: 'KEYRING_DAMAGED' })
  }
})

t.test('a newer version and an unknown suite are named as such', async (t) => {
  t.throws(() => decodeKeyring(withBody({}, 2)), { code: 'UNSUPPORTED_FORMAT', message: /version 2/ })
  const suite = { chainId: new Uint8Array(16), suite: 99, generation: 1, slots: [] }
  t.throws(() => decodeKeyring(withBody(suite)), { code: 'UNSUPPORTED_FORMAT', message: /suite 99/ })
})

t.test('what a later version adds to a body is ignored', async (t) => {
  const slots = parsed.slots.map((slot) => ({ ...slot, cost: { ...slot.cost }, later: true }))
  const { chainId, suite, generation } = parsed
  t.equal(describeKeyring(withBody({ chainId, suite, generation, slots, later: [1] })).slots.length, 1)
})

t.test('slots added to a keyring share its salt: a passphrase is stretched once', async (t) => {
  const both = decodeKeyring(await addSlot(crypto, file, passphrase, slot))
  const [a, b] = both.slots
  t.same(a?.salt, b?.salt)
  t.notSame(a?.wrapId, b?.wrapId, 'and yet the same passphrase does not show')
})

t.test('random bytes behind a right checksum are refused as damaged or unsupported', async (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(30), (tail, keep) => {
    const bytes = resealed(Uint8Array.from([...file.subarray(0, keep), ...tail, 0, 0, 0, 0]))
    try {
      decodeKeyring(bytes)
      t.fail('nothing random is a keyring')
    } catch (error) {
      t.ok(['KEYRING_DAMAGED', 'UNSUPPORTED_FORMAT'].includes(errorCode(error) ?? ''))
    }
  })
  fc.assert(property, { seed: 20250107, numRuns: 500 })
})
