/** `atefs/crypto`: what a program needs of cryptography. */
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import {
  BoxKey,
  fromBase64url,
  fromHex,
  generateKey,
  hkdfSha256,
  hmacSha256,
  isEqual,
  keyFromPassphrase,
  randomBytes,
  seal,
  sealFor,
  sha256,
  SigningKey,
  toBase64url,
  toHex,
  unseal,
  verify,
} from '../../src/crypto.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)
const plain = (value: ArrayBuffer | Uint8Array): Uint8Array => Uint8Array.from(new Uint8Array(value))
const message = bytes('Meet me at noon.')
const context = bytes('letter 1')

/** The bytes with one bit changed. */
function flipped(value: Uint8Array, at: number): Uint8Array {
  return value.map((byte, i) => (i === at ? byte ^ 1 : byte))
}

t.test('hashes are those of everybody', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 1, maxLength: 80 }), (value, key) => {
      const hash = createHash('sha256').update(value).update(key)
      t.ok(isEqual(sha256(value, key), plain(hash.digest())))
      t.ok(isEqual(hmacSha256(key, value), plain(createHmac('sha256', key).update(value).digest())))
      t.ok(isEqual(hkdfSha256(key, value, key, 50), plain(hkdfSync('sha256', key, value, key, 50))))
    }),
    { numRuns: 20 },
  )
  t.end()
})

t.test('what is sealed with a key is opened with it and its context, and with nothing else', (t) => {
  const key = generateKey()
  const sealed = seal(key, message, context)
  t.equal(sealed.length, message.length + 60)
  t.notOk(isEqual(sealed, seal(key, message, context)), 'and no two seals are the same')
  t.equal(text(unseal(key, sealed, context)), text(message))
  t.equal(unseal(key, seal(key, new Uint8Array(0))).length, 0)
  const refused = { code: 'BODY_DAMAGED' }
  t.throws(() => unseal(generateKey(), sealed, context), refused)
  t.throws(() => unseal(key, sealed), refused)
  for (let at = 0; at < sealed.length; at++) t.throws(() => unseal(key, flipped(sealed, at), context), refused)
  for (let length = 0; length < sealed.length; length += 7)
    t.throws(() => unseal(key, sealed.subarray(0, length), context), refused)
  t.throws(() => seal(new Uint8Array(16), message), { code: 'BAD_ARGUMENT' })
  t.throws(() => unseal(new Uint8Array(33), sealed), { code: 'BAD_ARGUMENT' })
  t.end()
})

await t.test('a passphrase and a salt make a key', async (t) => {
  const salt = randomBytes(32)
  const key = await keyFromPassphrase('correct horse', salt)
  t.equal(key.length, 32)
  t.ok(isEqual(key, await keyFromPassphrase('correct horse', salt)))
  t.notOk(isEqual(key, await keyFromPassphrase('correct horse', randomBytes(32))))
  await t.rejects(keyFromPassphrase('', salt), { code: 'EMPTY_PASSPHRASE' })
  await t.rejects(keyFromPassphrase('x', randomBytes(8)), { code: 'BAD_ARGUMENT' })
})

t.test('a signature is that of one key for one message', (t) => {
  const key = SigningKey.generate()
  const signature = key.sign(message)
  t.equal(key.publicKey.length, 1984)
  t.equal(signature.length, 3373)
  t.ok(verify(key.publicKey, message, signature))
  t.notOk(verify(key.publicKey, bytes('Meet me at one.'), signature))
  t.notOk(verify(SigningKey.generate().publicKey, message, signature))
  for (const at of [0, 40, 64, 2000, 3372]) t.notOk(verify(key.publicKey, message, flipped(signature, at)))
  t.notOk(verify(key.publicKey, message, signature.subarray(1)))
  t.notOk(verify(new Uint8Array(3), message, signature))
  const again = SigningKey.fromSeed(key.seed)
  t.ok(isEqual(again.publicKey, key.publicKey), 'the seed is the key')
  t.throws(() => SigningKey.fromSeed(new Uint8Array(63)), { code: 'BAD_ARGUMENT' })
  t.end()
})

t.test('a box is opened by the key that it was sealed for', (t) => {
  const key = BoxKey.generate()
  const box = sealFor(key.publicKey, message, context)
  t.equal(key.publicKey.length, 1216)
  t.equal(box.length, message.length + 1136)
  t.equal(text(key.unseal(box, context)), text(message))
  t.equal(text(BoxKey.fromSeed(key.seed).unseal(box, context)), text(message), 'the seed is the key')
  const refused = { code: 'BODY_DAMAGED' }
  t.throws(() => BoxKey.generate().unseal(box, context), refused)
  t.throws(() => key.unseal(box), refused)
  for (const at of [0, 1100, 1120, box.length - 1]) t.throws(() => key.unseal(flipped(box, at), context), refused)
  t.throws(() => key.unseal(new Uint8Array(3)), refused)
  t.throws(() => sealFor(new Uint8Array(3), message), { code: 'BAD_FORMAT' })
  t.throws(() => BoxKey.fromSeed(new Uint8Array(31)), { code: 'BAD_ARGUMENT' })
  t.end()
})

t.test('keys do not print their secrets', (t) => {
  for (const key of [SigningKey.generate(), BoxKey.generate()]) {
    const [first = 0, second = 0] = key.seed
    const printed = [JSON.stringify(key), inspect(key, { showHidden: true, depth: 9, maxArrayLength: 2000 })].join()
    t.notMatch(printed, `${first}, ${second}, ${key.seed.slice(2, 6).join(', ')}`)
  }
  t.end()
})

t.test('bytes have one spelling in hexadecimal and in base64url, and every other is refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (value) => {
      t.equal(toBase64url(value), Buffer.from(value).toString('base64url'))
      t.ok(isEqual(fromBase64url(toBase64url(value)), value))
      t.ok(isEqual(fromHex(toHex(value)), value))
    }),
    { numRuns: 200 },
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), (spelling) => {
      for (const [from, to] of [
        [fromBase64url, toBase64url],
        [fromHex, toHex],
      ] as const) {
        try {
          t.equal(to(from(spelling)), spelling, 'what is taken is what is written')
        } catch (error) {
          t.match(error, { code: 'BAD_FORMAT' })
        }
      }
    }),
    { numRuns: 500 },
  )
  for (const wrong of ['A', 'AB', 'AAB', 'AA==', 'A+', 'ä', 'AAAAA'])
    t.throws(() => fromBase64url(wrong), { code: 'BAD_FORMAT' })
  t.end()
})
