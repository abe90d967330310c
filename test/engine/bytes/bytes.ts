import fc from 'fast-check'
import t from 'tap'
import { compareBytes } from '../../../src/engine/bytes/compare.js'
import { byteLength, concatBytes } from '../../../src/engine/bytes/concat.js'
import { equalBytes } from '../../../src/engine/bytes/equal.js'
import { fromHex, toHex } from '../../../src/engine/bytes/hex.js'
import { fromLatin1, toLatin1 } from '../../../src/engine/bytes/latin1.js'
import { Slab } from '../../../src/engine/bytes/slab.js'

const seed = 20250103

t.test('hexadecimal goes there and back', async (t) => {
  t.equal(toHex(Uint8Array.of(0, 1, 0xab, 0xff)), '0001abff')
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      t.same(fromHex(toHex(bytes)), bytes)
    }),
    { seed },
  )
})

t.test('anything but pairs of lower-case digits is refused', async (t) => {
  for (const text of ['0', 'AB', '0x', ' 00', '00\n', 'zz', '0g']) t.throws(() => fromHex(text), { code: 'BAD_FORMAT' })
})

t.test('bytes as characters go there and back, also long ones', async (t) => {
  const long = Uint8Array.from({ length: 100_000 }, (_, i) => i & 0xff)
  t.same(fromLatin1(toLatin1(long)), long)
  t.equal(toLatin1(Uint8Array.of(0, 0x41, 0xff)), '\0A\xff')
  t.throws(() => fromLatin1('a\u0141'), { code: 'BAD_ARGUMENT' })
})

t.test('concatBytes joins parts in order', async (t) => {
  t.same([...concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))], [1, 2, 3])
  t.same([...concatBytes()], [])
  t.equal(byteLength([new Uint8Array(3), new Uint8Array(4)]), 7)
})

t.test('equalBytes and compareBytes agree with Buffer', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 4, max: 3 })
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      t.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b))
      t.equal(equalBytes(a, b), Buffer.compare(a, b) === 0)
    }),
    { seed, numRuns: 300 },
  )
  t.ok(compareBytes(Uint8Array.of(0xff), Uint8Array.of(0x7f)) > 0, 'bytes are unsigned')
})

t.test('pieces of a slab never overlap, and the kept memory is given again after a reset only', async (t) => {
  const slab = new Slab(128 * 1024)
  const take = (): Uint8Array[] => Array.from({ length: 400 }, (_, i) => slab.take(1 + ((i * 97) % 1000)).fill(i))
  const first = take()
  first.forEach((piece, i) => t.ok(piece.every((byte) => byte === (i & 0xff))))
  const buffers = new Set(first.map(({ buffer }) => buffer))
  t.equal(buffers.size, 4)
  slab.reset()
  const again = new Set(take().map(({ buffer }) => buffer))
  t.equal([...again].filter((buffer) => buffers.has(buffer)).length, 2, 'as much as is kept')
  t.not(slab.take(100_000).buffer, slab.take(100_000).buffer)
})
