import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { Packable } from '../../src/engine/codec/message-pack.js'
import { FORMATS } from '../../src/wire/format.js'
import { decodeJson, encodeJson } from '../../src/wire/json.js'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const decode = (json: string): unknown => decodeJson(new TextEncoder().encode(json))

t.test('bytes and names with a dollar have a spelling of their own', async (t) => {
  t.equal(text(encodeJson([Uint8Array.of(1, 2, 255), 'a'])), '[{"$bytes":"AQL/"},"a"]')
  t.equal(text(encodeJson({ $bytes: 'AA==', $$: 1 })), '{"$$bytes":"AA==","$$$":1}')
  t.same(decode('{"$bytes":""}'), new Uint8Array(0))
})

t.test('what is no message is refused', async (t) => {
  const refused = [
    '',
    '{',
    '1 2',
    'NaN',
    '9007199254740992',
    '-9007199254740993',
    '"\\ud800"',
    '{"\\udfff":1}',
    '{"$bytes":1}',
    '{"$bytes":"A"}',
    '{"$bytes":"AQL/ "}',
    '{"$bytes":"AQL_"}',
    '{"$bytes":"AQ"}',
    '{"$bytes":"AQL/","more":1}',
    '{"$other":1}',
    `${'['.repeat(18)}${']'.repeat(18)}`,
    '['.repeat(500_000),
  ]
  for (const json of refused) t.throws(() => decode(json), { code: 'BAD_FORMAT' }, json.slice(0, 40))
  t.throws(() => decodeJson(Uint8Array.of(0x22, 0xff, 0x22)), { code: 'BAD_FORMAT' }, 'no UTF-8')
  t.throws(() => encodeJson(Number.NaN), { code: 'BAD_ARGUMENT' })
})

t.test('a name like __proto__ is a name', async (t) => {
  const value = decode('{"__proto__":{"a":1}}')
  t.equal(Object.getPrototypeOf(value), Object.prototype)
  t.ok(Object.hasOwn(value as object, '__proto__'))
})

t.test('whatever can be said arrives as it was, in every format', async () => {
  const { value } = fc.letrec<{ value: Packable }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .filter((each) => !Object.is(each, -0) && Math.abs(each) < 2 ** 53),
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 20 }).map((each) => new Uint8Array(each)),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(
        fc.string({ unit: 'grapheme-ascii', maxLength: 6 }).filter((name) => name !== '__proto__'),
        tie('value'),
        { maxKeys: 5 },
      ),
    ),
  }))
  for (const format of FORMATS) {
    fc.assert(
      fc.property(value, (each) => isDeepStrictEqual(format.decode(format.encode(each)), normal(each))),
      { seed: 7, numRuns: 500 },
    )
  }
})

/** Without the prototypes that fast-check gives to dictionaries. */
function normal(value: Packable): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(normal)
  return Object.fromEntries(Object.entries(value).map(([key, each]: [string, Packable]) => [key, normal(each)]))
}
