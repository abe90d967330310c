import t from 'tap'
import { nativeCrypto as crypto } from '../../../src/adapters/node/native-crypto.js'
import { decodePlainKey, encodePlainKey, PLAIN_KEY_BYTES } from '../../../src/engine/keyring/plain-key.js'

const rootKey = Uint8Array.from({ length: 32 }, (_, i) => i)
const key = { rootKey, chainId: new Uint8Array(16).fill(4), suite: 3 } as const
const file = encodePlainKey(key)

function resealed(change: (bytes: Uint8Array) => void): Uint8Array {
  const copy = file.slice()
  change(copy)
  new DataView(copy.buffer).setUint32(copy.length - 4, crypto.crc32(copy.subarray(0, -4)), true)
  return copy
}

t.test('a key file gives root key, chain and suite', async (t) => {
  t.equal(file.length, PLAIN_KEY_BYTES)
  t.same(decodePlainKey(file), key)
})

t.test('what is read does not share memory with the file', async (t) => {
  const bytes = file.slice()
  const read = decodePlainKey(bytes)
  bytes.fill(0)
  t.same(read, key)
})

t.test('every cut, addition and flipped bit is damage', async (t) => {
  for (let length = 0; length < file.length; length++) {
    t.throws(() => decodePlainKey(file.subarray(0, length)), { code: 'KEYRING_DAMAGED' })
  }
  t.throws(() => decodePlainKey(Uint8Array.from([...file, 0])), { code: 'KEYRING_DAMAGED' })
  for (let bit = 0; bit < file.length * 8; bit++) {
    const damaged = file.slice()
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.throws(() => decodePlainKey(damaged), { code: 'KEYRING_DAMAGED' })
  }
})

t.test('a newer version and an unknown suite are named as such', async (t) => {
  t.throws(() => decodePlainKey(resealed((bytes) => bytes.fill(2, 8, 9))), { code: 'UNSUPPORTED_FORMAT' })
  t.throws(() => decodePlainKey(resealed((bytes) => bytes.fill(9, 10, 11))), { code: 'UNSUPPORTED_FORMAT' })
})
