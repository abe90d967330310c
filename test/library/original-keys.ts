/** What the tests of the original asserted of keys and of what they seal and sign, with the algorithms of here. */
import t from 'tap'
import {
  AteConfig,
  AteSession,
  ChainBuilder,
  dataType,
  errorCode,
  generateReadKey,
  generateWriteKey,
  objectKey,
  plain,
  readBy,
  readKeyFrom,
  signerOf,
  signMessage,
  writeKeyFromSeed,
} from '../../src/index.js'

const Secret = dataType('Secret', plain<{ text: string }>())

t.test('test_secure_random: no two keys are alike, and none is empty', (t) => {
  const ids = new Set(Array.from({ length: 50 }, () => generateReadKey().id))
  t.equal(ids.size, 50)
  t.ok(generateReadKey().bytes.some((byte) => byte !== 0))
  t.end()
})

t.test('encrypt_key_seeding: the same seed gives the same keys, for ever', (t) => {
  t.equal(
    readKeyFrom(new Uint8Array(32).fill(1)).id,
    'a8a1dff8dcb8638de0cec604483018abdf5d8b0abd6b4046949fa234c6ff4aa7',
  )
  t.equal(
    writeKeyFromSeed(new Uint8Array(64).fill(2)).id,
    'c0b4dff2b301bb5aade7243f9613d66d0ac086a107379ba085ebe5ad2b029d46',
  )
  t.throws(() => readKeyFrom(new Uint8Array(31)), { code: 'BAD_ARGUMENT' })
  t.throws(() => writeKeyFromSeed(new Uint8Array(63)), { code: 'BAD_ARGUMENT' })
  t.end()
})

t.test('sign_asym, signed_protected_data: a signature is its owner’s, and of just this', (t) => {
  const key = generateWriteKey()
  const data = Uint8Array.of(1, 2, 3)
  t.equal(signerOf(data, signMessage(key, data)), key.id)
  t.equal(signerOf(Uint8Array.of(1, 2, 4), signMessage(key, data)), undefined)
  t.end()
})

/** Whether a session reads an object, or why it does not. */
async function reads(attempt: Promise<{ text: string }>): Promise<string | undefined> {
  return await attempt.then(({ text }) => text, errorCode)
}

await t.test('secure_data, multi_encrypt: who holds one of the keys reads; a third one gets nothing', async (t) => {
  await using chain = await new ChainBuilder(AteConfig.default()).open('secrets')
  const [ann, bob, eve] = [generateReadKey(), generateReadKey(), generateReadKey()]
  const sessionOf = (...readKeys: (typeof ann)[]) => new AteSession({ readKeys })
  const { key } = await chain.transact(
    (dio) => {
      const secret = dio.store({ text: 'for two' }, { type: Secret })
      dio.protect(secret, { read: readBy.only(ann, bob) })
      return secret
    },
    { session: sessionOf(ann, bob) },
  )
  const outcome = (session: AteSession) => reads(chain.dio(session).load(Secret, key))
  t.equal(await outcome(sessionOf(ann)), 'for two')
  t.equal(await outcome(sessionOf(bob)), 'for two')
  t.equal(await outcome(sessionOf(eve)), 'NO_READ_KEY')
  t.equal(await outcome(new AteSession()), 'NO_READ_KEY')
})

await t.test(
  'derived_keys: with another key in its place the old one opens nothing that is written after',
  async (t) => {
    for (const keyBits of [128, 192, 256] as const) {
      await using chain = await new ChainBuilder(AteConfig.default().with({ keyBits })).open('secrets')
      const [old, next] = [generateReadKey(), generateReadKey()]
      const both = new AteSession({ readKeys: [old, next] })
      const { key } = await chain.transact(
        (dio) => {
          const secret = dio.store({ text: 'one' }, { type: Secret })
          dio.protect(secret, { read: readBy.only(old) })
          return secret
        },
        { session: both },
      )
      await chain.transact(
        async (dio) => {
          const secret = await dio.load(Secret, key)
          dio.protect(secret, { read: readBy.only(next) })
          secret.text = 'two'
        },
        { session: both },
      )
      t.equal(await reads(chain.dio(new AteSession({ readKeys: [next] })).load(Secret, key)), 'two')
      t.equal(await reads(chain.dio(new AteSession({ readKeys: [old] })).load(Secret, key)), 'NO_READ_KEY')
    }
  },
)

await t.test('test_b64: fields of bytes beside others come back as they were, and become JSON', async (t) => {
  const Mixed = dataType(
    'Mixed',
    plain<{ name: string; first: Uint8Array; none: Uint8Array; count: number; list: Uint8Array[] }>(),
  )
  const fields = {
    name: 'ä',
    first: Uint8Array.from({ length: 256 }, (_, i) => i),
    none: new Uint8Array(0),
    count: -1,
    list: [Uint8Array.of(0), Uint8Array.of(255)],
  }
  await using chain = await new ChainBuilder(AteConfig.default()).open('bytes')
  const { key } = await chain.transact((dio) => dio.store(fields, { type: Mixed }))
  const loaded = await chain.dio().load(Mixed, key)
  t.strictSame({ ...loaded }, fields)
  t.equal(JSON.stringify(loaded), JSON.stringify(fields))
})

t.test('test_key_hex: a key is printed with all its digits', (t) => {
  const key = `${'0'.repeat(10)}1${'0'.repeat(9)}1v`
  t.equal(objectKey(key), key)
  t.throws(() => objectKey('1'), { code: 'BAD_ARGUMENT' })
  t.end()
})
