import fc from 'fast-check'
import t from 'tap'
import { sipHash53, sipHash64 } from '../../../src/engine/crypto/siphash.js'
import { SIPHASH_VECTORS } from '../../fixtures/vectors/siphash.js'

const key = Uint8Array.from({ length: 16 }, (_, i) => i)
const MASK = (1n << 64n) - 1n

t.test('the reference vectors hold', async (t) => {
  for (const [length, expected] of SIPHASH_VECTORS.entries()) {
    const { low, high } = sipHash64(key, ascending(length))
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32LE(low, 0)
    bytes.writeUInt32LE(high, 4)
    t.equal(bytes.toString('hex'), expected, `${length} bytes`)
  }
})

t.test('any text and key hash as the definition in 64-bit arithmetic says', async (t) => {
  const text = fc.uint8Array({ maxLength: 260 })
  const property = fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), text, (key, bytes) => {
    const { low, high } = sipHash64(key, Buffer.from(bytes).toString('latin1'))
    t.equal((BigInt(high) << 32n) | BigInt(low), reference(key, bytes))
  })
  fc.assert(property, { seed: 20250104, numRuns: 200 })
})

t.test('the short form is the low 53 bits', async (t) => {
  for (let length = 0; length < 300; length += 7) {
    const { low, high } = sipHash64(key, ascending(length))
    const hash = sipHash53(key, ascending(length))
    t.equal(BigInt(hash), ((BigInt(high) << 32n) | BigInt(low)) & ((1n << 53n) - 1n))
  }
})

t.test('characters above 255 and keys of another length are refused', async (t) => {
  t.throws(() => sipHash53(key, 'a\u0100'), { code: 'BAD_ARGUMENT' })
  t.throws(() => sipHash53(key, '12345678\u0100'), { code: 'BAD_ARGUMENT' })
  t.throws(() => sipHash53(new Uint8Array(15), 'a'), { code: 'BAD_ARGUMENT' })
  t.throws(() => sipHash53(new Uint8Array(32), 'a'), { code: 'BAD_ARGUMENT' })
})

function ascending(length: number): string {
  return String.fromCharCode(...Array.from({ length }, (_, i) => i & 0xff))
}

function reference(key: Uint8Array, message: Uint8Array): bigint {
  const k0 = Buffer.from(key).readBigUInt64LE(0)
  const k1 = Buffer.from(key).readBigUInt64LE(8)
  const v = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn, k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n]
  const at = (i: number): bigint => v[i] ?? 0n
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (64n - by))) & MASK
  const add = (to: number, from: number): void => void (v[to] = (at(to) + at(from)) & MASK)
  const turn = (i: number, by: bigint, other: number): void => void (v[i] = rotate(at(i), by) ^ at(other))
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      add(0, 1)
      turn(1, 13n, 0)
      v[0] = rotate(at(0), 32n)
      add(2, 3)
      turn(3, 16n, 2)
      add(0, 3)
      turn(3, 21n, 0)
      add(2, 1)
      turn(1, 17n, 2)
      v[2] = rotate(at(2), 32n)
    }
  }
  const padded = Buffer.alloc((message.length >> 3) * 8 + 8)
  padded.set(message)
  padded[padded.length - 1] = message.length & 0xff
  for (let offset = 0; offset < padded.length; offset += 8) {
    const word = padded.readBigUInt64LE(offset)
    v[3] = at(3) ^ word
    rounds(2)
    v[0] = at(0) ^ word
  }
  v[2] = at(2) ^ 0xffn
  rounds(4)
  return at(0) ^ at(1) ^ at(2) ^ at(3)
}
