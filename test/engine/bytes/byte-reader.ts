import fc from 'fast-check'
import t from 'tap'
import { ByteReader } from '../../../src/engine/bytes/byte-reader.js'
import { ByteWriter } from '../../../src/engine/bytes/byte-writer.js'
import { toHex } from '../../../src/engine/bytes/hex.js'

const seed = 20250102
const MAX = Number.MAX_SAFE_INTEGER

t.test('integers are little-endian and have the width they are named after', async (t) => {
  const writer = new ByteWriter()
  writer.u8(0x01).u16(0x0302).u32(0x07060504).u53(0x1f_ffff_ffff_fffe).i53(-2).latin1('\xff')
  t.equal(toHex(writer.view()), '01' + '0203' + '04050607' + 'feffffffffff1f00' + 'feffffffffffffff' + 'ff')
  t.equal(writer.length, 24)
})

t.test('what is written is read back', async (t) => {
  const field = fc.oneof(
    fc.record({ type: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
    fc.record({ type: fc.constant('u16' as const), value: fc.integer({ min: 0, max: 0xffff }) }),
    fc.record({ type: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffffffff }) }),
    fc.record({ type: fc.constant('u53' as const), value: fc.maxSafeNat() }),
    fc.record({ type: fc.constant('i53' as const), value: fc.maxSafeInteger() }),
    fc.record({ type: fc.constant('varint' as const), value: fc.maxSafeNat() }),
  )
  const property = fc.property(fc.array(field), fc.uint8Array(), (fields, tail) => {
    const writer = new ByteWriter(16)
    for (const { type, value } of fields) writer[type](value)
    writer.bytes(tail).latin1(String.fromCharCode(...tail))
    const reader = new ByteReader(writer.copy(), 'test')
    for (const { type, value } of fields) t.equal(reader[type]('field'), value)
    t.same(reader.bytes(tail.length, 'tail'), tail)
    t.equal(reader.latin1(tail.length, 'tail'), String.fromCharCode(...tail))
    reader.done()
  })
  fc.assert(property, { seed, numRuns: 200 })
})

t.test('the widest values of each type are read back', async (t) => {
  const writer = new ByteWriter()
  for (const value of [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, MAX]) writer.u53(value).i53(-value).varint(value)
  const reader = new ByteReader(writer.view(), 'test')
  for (const value of [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, MAX]) {
    t.equal(reader.u53('field'), value)
    t.equal(reader.i53('field') + value, 0)
    t.equal(reader.varint('field'), value)
  }
  reader.done()
})

t.test('a value that does not fit is refused and nothing of it is written', async (t) => {
  const writer = new ByteWriter()
  for (const value of [-1, 256, 0.5, NaN]) t.throws(() => writer.u8(value), { code: 'BAD_ARGUMENT' })
  for (const value of [-1, 65536, 0.5, NaN]) t.throws(() => writer.u16(value), { code: 'BAD_ARGUMENT' })
  for (const value of [-1, 2 ** 32, 0.5, NaN]) t.throws(() => writer.u32(value), { code: 'BAD_ARGUMENT' })
  for (const value of [-1, 2 ** 53, 0.5, NaN, Infinity]) {
    t.throws(() => writer.u53(value), { code: 'BAD_ARGUMENT' })
    t.throws(() => writer.varint(value), { code: 'BAD_ARGUMENT' })
  }
  for (const value of [2 ** 53, -(2 ** 53), 0.5]) t.throws(() => writer.i53(value), { code: 'BAD_ARGUMENT' })
  t.throws(() => writer.latin1('a\u0100'), { code: 'BAD_ARGUMENT' })
  t.equal(writer.length, 0)
})

t.test('a writer is reused: view shares its memory, copy does not', async (t) => {
  const writer = new ByteWriter(16)
  const view = writer.u8(1).view()
  const copy = writer.copy()
  writer.reset().u8(2)
  t.same([...view], [2])
  t.same([...copy], [1])
  writer.reserve(1000)
  t.same([...writer.bytes(new Uint8Array(1000)).view().subarray(0, 2)], [2, 0])
})

t.test('a read past the end names the whole, the field and the offset', async (t) => {
  const reads: ((reader: ByteReader) => unknown)[] = [
    (reader) => reader.u8('size'),
    (reader) => reader.u16('size'),
    (reader) => reader.u32('size'),
    (reader) => reader.u53('size'),
    (reader) => reader.i53('size'),
    (reader) => reader.varint('size'),
    (reader) => reader.bytes(1, 'size'),
    (reader) => reader.latin1(1, 'size'),
  ]
  for (const read of reads) {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3), 'manifest')
    reader.bytes(3, 'start')
    t.throws(() => read(reader), { code: 'BAD_FORMAT', message: 'manifest: size at offset 3 is cut off' })
    t.equal(reader.remaining, 0, 'a failed read takes nothing')
  }
})

t.test('a length from the bytes cannot go backwards or beyond', async (t) => {
  const reader = new ByteReader(new Uint8Array(8), 'test')
  for (const length of [-1, 9, 2 ** 32, MAX, NaN, Infinity]) {
    t.throws(() => reader.bytes(length, 'field'), { code: 'BAD_FORMAT' })
  }
  t.equal(reader.offset, 0)
})

t.test('integers of 2^53 and more are refused', async (t) => {
  const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, 0x20, 0)
  t.throws(() => new ByteReader(bytes, 'test').u53('size'), { code: 'BAD_FORMAT', message: /size at offset 0/ })
  t.throws(() => new ByteReader(bytes, 'test').i53('time'), { code: 'BAD_FORMAT' })
  const lowest = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xe0, 0xff)
  t.throws(() => new ByteReader(lowest, 'test').i53('time'), { code: 'BAD_FORMAT' })
  const varint = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)
  t.throws(() => new ByteReader(varint, 'test').varint('size'), { code: 'BAD_FORMAT' })
})

t.test('a varint has one spelling', async (t) => {
  t.throws(() => new ByteReader(Uint8Array.of(0x80, 0), 'test').varint('n'), { code: 'BAD_FORMAT' })
  t.throws(() => new ByteReader(new Uint8Array(9).fill(0x80), 'test').varint('n'), { code: 'BAD_FORMAT' })
})

t.test('done demands the end', async (t) => {
  const reader = new ByteReader(Uint8Array.of(1, 2), 'manifest')
  reader.u8('first')
  t.throws(() => reader.done(), { code: 'BAD_FORMAT', message: 'manifest: 1 bytes too many' })
})

t.test('views share memory with the input and honour its place in a larger buffer', async (t) => {
  const whole = Uint8Array.of(9, 1, 2, 9)
  const reader = new ByteReader(whole.subarray(1, 3), 'test')
  const view = reader.bytes(2, 'pair')
  t.same([...view], [1, 2])
  whole[1] = 7
  t.equal(view[0], 7)
})
