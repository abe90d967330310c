import { ml_kem1024_p384, ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { equalBytes } from '../../../src/engine/bytes/equal.js'
import { fromHex, toHex } from '../../../src/engine/bytes/hex.js'
import { openBox, sealBox } from '../../../src/engine/crypto/box.js'
import { boxPublicKey, boxSizes } from '../../../src/engine/crypto/kem.js'
import { BOX_P384_ML_KEM_1024, BOX_X25519_ML_KEM_768 } from '../../../src/engine/crypto/suites.js'
import { ML_KEM_1024_P384_VECTORS, X_WING_VECTORS } from '../../fixtures/vectors/public-key.js'

const seed = new Uint8Array(32).fill(1)
const otherSeed = new Uint8Array(32).fill(2)
const context = Uint8Array.of(1, 2, 3)
const secret = new Uint8Array(32).fill(9)

t.test('the vectors of X-Wing and MLKEM1024-P384 hold', async (t) => {
  const families = [
    { kem: ml_kem768_x25519, vectors: X_WING_VECTORS },
    { kem: ml_kem1024_p384, vectors: ML_KEM_1024_P384_VECTORS },
  ]
  for (const { kem, vectors } of families) {
    for (const vector of vectors) {
      const { publicKey, secretKey } = kem.keygen(fromHex(vector.seed))
      const made = kem.encapsulate(publicKey, fromHex(vector.encapsulationSeed))
      t.equal(toHex(made.sharedSecret), vector.sharedSecret)
      t.equal(toHex(kem.decapsulate(made.cipherText, secretKey)), vector.sharedSecret)
    }
  }
})

for (const suite of [BOX_X25519_ML_KEM_768, BOX_P384_ML_KEM_1024] as const) {
  const publicKey = boxPublicKey(suite, seed)
  const box = sealBox(nativeCrypto, suite, publicKey, context, secret)
  const { kemCiphertext } = boxSizes(suite)
  const open = (bytes: Uint8Array): Uint8Array | undefined => openBox(nativeCrypto, suite, seed, context, bytes)

  t.test(`suite ${suite}: a box opens with its seed and context`, async (t) => {
    t.same(open(box), secret)
    t.equal(publicKey.length, boxSizes(suite).publicKey)
    t.equal(box.length, kemCiphertext + 32 + 16)
    const again = sealBox(nativeCrypto, suite, publicKey, context, secret)
    t.equal(equalBytes(again, box), false, 'no two boxes are alike')
  })

  t.test(`suite ${suite}: another seed, context or suite does not open it`, async (t) => {
    t.equal(openBox(nativeCrypto, suite, otherSeed, context, box), undefined)
    t.equal(openBox(nativeCrypto, suite, seed, new Uint8Array(0), box), undefined)
    t.equal(openBox(nativeCrypto, suite === 1 ? 2 : 1, seed, context, box), undefined)
  })

  t.test(`suite ${suite}: damage anywhere is refused`, async (t) => {
    for (const at of [0, 700, kemCiphertext - 33, kemCiphertext - 1, kemCiphertext, box.length - 1]) {
      const damaged = box.slice()
      damaged[at] = (damaged[at] ?? 0) ^ 1
      t.equal(open(damaged), undefined, `byte ${at}`)
    }
    for (const length of [0, kemCiphertext, kemCiphertext + 15, box.length - 1]) {
      t.equal(open(box.subarray(0, length)), undefined, `${length} bytes`)
    }
    t.equal(open(new Uint8Array(box.length)), undefined)
  })

  t.test(`suite ${suite}: what is no public key is refused`, async (t) => {
    const seal = (bytes: Uint8Array) => () => sealBox(nativeCrypto, suite, bytes, context, secret)
    t.throws(seal(publicKey.subarray(1)), { code: 'BAD_FORMAT' })
    t.throws(seal(new Uint8Array(0)), { code: 'BAD_FORMAT' })
    t.throws(seal(new Uint8Array(publicKey.length).fill(0xff)), { code: 'BAD_FORMAT' })
    t.throws(() => boxPublicKey(suite, seed.subarray(1)), { code: 'BAD_ARGUMENT' })
  })
}
