import fc from 'fast-check'
import { Packr } from 'msgpackr'
import t from 'tap'
import { decodeMessagePack, encodeMessagePack, type Packable } from '../../../src/engine/codec/message-pack.js'
import { bytesOf, fields, integer, listOf, text, type Shape } from '../../../src/engine/codec/shape.js'
import { errorCode } from '../../../src/engine/error.js'

const seed = 20250106
const anything: Shape<unknown> = (value) => value
const decode = (...bytes: number[]): unknown => decodeMessagePack(Uint8Array.from(bytes), 1000, anything, 'test')

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.uint8Array({ maxLength: 300 }),
)
const { tree } = fc.letrec<{ tree: Packable }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('tree'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ maxLength: 40 }).filter((key) => key !== '__proto__'),
      tie('tree'),
      { maxKeys: 20 },
    ),
  ),
}))

t.test('values go there and back', async (t) => {
  const property = fc.property(tree, (value) => {
    const bytes = encodeMessagePack(value)
    t.equal(bytes.constructor, Uint8Array)
    t.strictSame(decodeMessagePack(bytes, 1_000_000, anything, 'test'), plain(value))
  })
  fc.assert(property, { seed, numRuns: 200 })
})

t.test('what is written is what msgpackr writes', async (t) => {
  const packr = new Packr({ useRecords: false, variableMapSize: true })
  const property = fc.property(tree, (value) => {
    t.same(Buffer.from(encodeMessagePack(value)).toString('hex'), Buffer.from(packr.pack(value)).toString('hex'))
  })
  fc.assert(property, { seed, numRuns: 500 })
  const edges = [
    0,
    -1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0xffff,
    0x1_0000,
    2 ** 32 - 1,
    2 ** 32,
    -32,
    -33,
    -128,
    -129,
    -32768,
    -32769,
  ]
  const long = [15, 16, 31, 32, 255, 256, 65_535, 65_536]
  const values: Packable[] = [...edges, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, 1.5, -0, NaN, Infinity]
  for (const length of long)
    values.push(
      'x'.repeat(length),
      'ä'.repeat(length),
      new Uint8Array(length),
      Array.from({ length }, () => null),
    )
  for (const length of long) values.push(Object.fromEntries(Array.from({ length }, (_, i) => [`${i}`, true])))
  for (const value of values) t.same(Buffer.compare(encodeMessagePack(value), packr.pack(value)), 0)
  // At each place where its memory may end.
  for (let length = 4080; length < 4100; length++)
    for (const value of [1.5, -1000, 'text', true, new Uint8Array(300)]) {
      const all = [new Uint8Array(length - 4), value]
      t.same(Buffer.compare(encodeMessagePack(all), packr.pack(all)), 0)
    }
})

t.test('a text with half a surrogate pair is refused: nobody could read it back', async (t) => {
  for (const text of ['\ud800', 'a\udc00b', 'x'.repeat(100) + '\ud83d'])
    t.throws(() => encodeMessagePack({ text }), { code: 'BAD_ARGUMENT' })
  t.same(decodeMessagePack(encodeMessagePack('\ud83d\ude00'), 10, anything, 'test'), '\ud83d\ude00')
})

t.test('decoding leaves its input as it was', async (t) => {
  const bytes = Object.freeze(encodeMessagePack({ a: Uint8Array.of(1, 2) }).buffer)
  const input = new Uint8Array(bytes)
  const read = decodeMessagePack(input, 100, fields({ a: bytesOf(2) }), 'test')
  read.a.fill(0xff)
  t.same(Object.keys(input).length, input.length, 'no property was added')
  t.same([...input.subarray(-2)], [1, 2])
})

t.test('random bytes decode or are refused as BAD_FORMAT, in one pass', async (t) => {
  const outcomes = { refused: 0, decoded: 0 }
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    outcomes[isRefused(bytes) ? 'refused' : 'decoded']++
  })
  fc.assert(property, { seed, numRuns: 3000 })
  t.ok(outcomes.refused > 0 && outcomes.decoded > 0, 'both happened')
})

t.test('every cut and every damaged byte of a value decodes or is refused as BAD_FORMAT', async (t) => {
  const whole = encodeMessagePack({
    a: [1, 2, 'three', null, 4.5, 2 ** 40],
    b: { c: new Uint8Array(40), d: 'x'.repeat(300) },
  })
  for (let length = 0; length < whole.length; length++) t.ok(isRefused(whole.subarray(0, length)), `${length} bytes`)
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0x00, 0x80, 0xc1, 0xdd, 0xdf, 0xff]) {
      const damaged = whole.slice()
      damaged[at] = value
      isRefused(damaged)
    }
  }
})

t.test('lengths that are not there are refused without allocating', async (t) => {
  for (const head of [0xc6, 0xdb, 0xdd, 0xdf]) {
    t.throws(() => decode(head, 0xff, 0xff, 0xff, 0xff), { code: 'BAD_FORMAT' })
    t.throws(() => decode(head, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3), { code: 'BAD_FORMAT' })
  }
})

t.test('deep nesting is refused', async (t) => {
  t.throws(() => decode(...new Array<number>(900).fill(0x91), 0xc0), { code: 'BAD_FORMAT', message: /nested/ })
  const maps = Array.from({ length: 200 }, () => [0x81, 0xa1, 0x61]).flat()
  t.throws(() => decode(...maps, 0xc0), { code: 'BAD_FORMAT', message: /nested/ })
})

t.test('extension types, inexact integers and keys that are no strings are refused', async (t) => {
  const refused = [
    [0xc1],
    [0xd4, 0x72, 0x40],
    [0xd5, 0x72, 0x40, 0x40],
    [0xd6, 0xff, 0, 0, 0, 0],
    [0xc7, 1, 0x74, 0],
    [0xd8, ...new Array<number>(17).fill(0)],
    [0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0],
    [0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0x81, 0x01, 0x01],
    [0x81, 0xc4, 1, 0x61, 0x01],
    [0x81, 0xda, 0, 1, 0x61, 0x01],
  ]
  for (const bytes of refused) t.throws(() => decode(...bytes), { code: 'BAD_FORMAT' }, `type ${bytes[0] ?? ''}`)
  t.equal(decode(0xcf, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), Number.MAX_SAFE_INTEGER)
})

t.test('more than one value, none, or more bytes than allowed is refused', async (t) => {
  t.throws(() => decode(1, 2), { code: 'BAD_FORMAT', message: /too many/ })
  t.throws(() => decode(), { code: 'BAD_FORMAT' })
  const bytes = encodeMessagePack('x'.repeat(100))
  t.throws(() => decodeMessagePack(bytes, 101, anything, 'note'), { code: 'BAD_FORMAT', message: /^note: 102 bytes/ })
})

t.test('a prototype cannot be reached by a key', async (t) => {
  const value = decodeMessagePack(
    Uint8Array.from([0x81, 0xa9, ...Buffer.from('__proto__'), 0x81, 0xa1, 0x61, 1]),
    100,
    anything,
    'test',
  )
  t.equal(Object.getPrototypeOf(value), Object.prototype)
  const read = fields({ toString: integer(0, 9) })
  t.throws(() => read({}, 'map'), { code: 'BAD_FORMAT', message: 'map.toString is not an integer from 0 to 9' })
})

t.test('shapes take what they describe and say where something else is', async (t) => {
  const shape = fields({ name: text(3), list: listOf(fields({ id: bytesOf(2), n: integer(1, 5) }), 2) })
  const good = { name: 'abc', list: [{ id: Uint8Array.of(1, 2), n: 5 }], later: 'ignored' }
  t.strictSame(shape(good, 'file'), { name: 'abc', list: [{ id: Uint8Array.of(1, 2), n: 5 }] })
  const wrong: [unknown, RegExp][] = [
    [null, /^file is not a map/],
    [[], /^file is not a map/],
    ['text', /^file is not a map/],
    [{ ...good, name: 'abcd' }, /^file.name /],
    [{ ...good, name: 1 }, /^file.name /],
    [{ name: 'abc' }, /^file.list /],
    [{ ...good, list: [1] }, /^file.list\[0\] is not a map/],
    [{ ...good, list: [good.list[0], good.list[0], good.list[0]] }, /^file.list /],
    [{ ...good, list: [{ id: Uint8Array.of(1), n: 1 }] }, /^file.list\[0\].id /],
    [{ ...good, list: [{ id: 'ab', n: 1 }] }, /^file.list\[0\].id /],
    [{ ...good, list: [{ id: Uint8Array.of(1, 2), n: 6 }] }, /^file.list\[0\].n /],
    [{ ...good, list: [{ id: Uint8Array.of(1, 2), n: 1.5 }] }, /^file.list\[0\].n /],
  ]
  for (const [value, message] of wrong) t.throws(() => shape(value, 'file'), { code: 'BAD_FORMAT', message })
})

/** True when refused as it should be; any other error fails the test. */
function isRefused(bytes: Uint8Array): boolean {
  try {
    decodeMessagePack(bytes, 1000, anything, 'test')
    return false
  } catch (error) {
    if (errorCode(error) !== 'BAD_FORMAT') throw error
    return true
  }
}

/** -0 is written as the integer 0, and maps come back with the prototype of objects. */
function plain(value: Packable): unknown {
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return value === 0 ? 0 : value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}
