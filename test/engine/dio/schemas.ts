/** Schemas that take something else than they give out, and what cannot be stored. */
import t from 'tap'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { mapOf, vecOf } from '../../../src/engine/dio/link-definition.js'
import type { StandardSchema } from '../../../src/engine/dio/standard-schema.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { collected, memoryChain, Note } from '../../helpers/objects.js'
import { refusedLines } from '../../helpers/type-errors.js'

class Money {
  readonly #cents: number
  constructor(cents: number) {
    this.#cents = cents
  }
  get cents(): number {
    return this.#cents
  }
}

interface PriceInput {
  amount: string
  note?: string
}
interface Price {
  amount: Money
  note: string
}

/** Takes '1.50', gives out money; a note that is missing is empty. */
const priceSchema: StandardSchema<PriceInput, Price> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { amount, note = '' } = value as PriceInput
      if (typeof amount !== 'string' || !/^\d+\.\d\d$/.test(amount))
        return { issues: [{ message: 'no amount', path: ['amount'] }] }
      return { value: { amount: new Money(Number(amount.replace('.', ''))), note } }
    },
  },
}
const PriceType = dataType('Price', priceSchema, {
  stored: { write: ({ amount, note }) => ({ amount: (amount.cents / 100).toFixed(2), note }) },
})
const Shop = dataType('Shop', plain<{ name: string }>(), {
  links: { prices: vecOf(PriceType), best: mapOf(PriceType) },
})

await t.test('objects are made of what the schema takes, and have what it gives out', async (t) => {
  await using chain = await memoryChain()
  const dio = chain.dioMut()
  const price = dio.store({ amount: '1.50' }, { type: PriceType })
  t.equal(price.amount.cents, 150)
  t.equal(price.note, '')
  await dio.commit()
  const loaded = await dio.load(PriceType, price.key)
  t.equal(loaded.amount.cents, 150)
  loaded.amount = new Money(275)
  await dio.commit()
  t.equal((await chain.dio().load(PriceType, price.key)).amount.cents, 275)
  t.equal((await chain.dio().info(price.key))?.revision, 2)

  await chain.transact(async (dio) => {
    const shop = dio.store({ name: 'corner' }, { type: Shop })
    shop.prices.push({ amount: '3.00' })
    shop.best.set('today', { amount: '2.00', note: 'x' })
  })
  const [shop] = await collected(chain.dio().roots(Shop))
  t.equal((await shop?.prices.at(0))?.amount.cents, 300)
  t.equal((await shop?.best.get('today'))?.note, 'x')
})

await t.test('what is not as the schema takes it is refused, on the way in and at the commit', async (t) => {
  await using chain = await memoryChain()
  const dio = chain.dioMut()
  t.throws(() => dio.store({ amount: 'much' }, { type: PriceType }), { code: 'INVALID_OBJECT', message: /amount/ })
  const price = dio.store({ amount: '1.50' }, { type: PriceType })
  price.amount = new Money(-1)
  await t.rejects(dio.commit(), { code: 'INVALID_OBJECT' })
  Reflect.set(price, 'amount', undefined)
  await t.rejects(dio.commit(), { code: 'INVALID_OBJECT', message: /write/ }, 'what the type throws is coded')
  price.amount = new Money(1)
  await dio.commit()
  t.equal((await chain.dio().load(PriceType, price.key)).amount.cents, 1)
})

await t.test('what an earlier version of the program stored is brought to what the schema takes', async (t) => {
  const Old = dataType('Price', plain<{ cents: number }>())
  const New = dataType('Price', priceSchema, {
    stored: {
      write: ({ amount }) => ({ cents: amount.cents }),
      read: (stored) => ('cents' in stored ? { amount: (Number(stored.cents) / 100).toFixed(2) } : stored),
    },
  })
  await using chain = await memoryChain()
  const { key } = await chain.transact((dio) => dio.store({ cents: 250 }, { type: Old }))
  t.equal((await chain.dio().load(New, key)).amount.cents, 250)
})

await t.test('what cannot be stored is refused with a code, naming the field, and nothing is stored', async (t) => {
  const Any = dataType('Any', plain<{ value: unknown }>())
  await using chain = await memoryChain()
  const dio = chain.dioMut()
  const wrong: [unknown, RegExp][] = [
    [() => 1, /Any\.value is a function/],
    [{ deep: [Symbol('x')] }, /Any\.value\.deep\[0\] is a symbol/],
    [new Money(1), /Any\.value/],
    [new Map([['x', () => 1]]), /Any\.value/],
    [/x/, /Any\.value/],
    [JSON.parse('{"__proto__": 1}'), /Any\.value/],
    [2 ** 60, /Any\.value/],
  ]
  for (const [value, message] of wrong) {
    await t.rejects(
      async () => {
        dio.store({ value }, { type: Any })
        await dio.commit()
      },
      { code: 'BAD_ARGUMENT', message },
    )
    dio.cancel()
  }
  t.strictSame([...chain.dio().rootKeys()], [])
  const loop: { value: unknown } = { value: 1 }
  loop.value = loop
  t.throws(() => dio.store(loop, { type: Any }), { code: 'BAD_ARGUMENT' })
})

await t.test('dates, maps, sets and bytes of the caller stay his', async (t) => {
  const Any = dataType('Any', plain<{ at: Date; names: Map<string, Date>; tags: Set<string>; bytes: Uint8Array }>())
  await using chain = await memoryChain()
  const given = { at: new Date(5), names: new Map([['x', new Date(6)]]), tags: new Set(['a']), bytes: Uint8Array.of(1) }
  const dio = chain.dioMut()
  const { key } = dio.store(given, { type: Any })
  given.at.setTime(0)
  given.names.get('x')?.setTime(0)
  given.tags.add('b')
  given.bytes[0] = 9
  await dio.commit()
  const { at, names, tags, bytes } = await chain.dio().load(Any, key)
  t.equal(at.getTime(), 5)
  t.equal(names.get('x')?.getTime(), 6)
  t.strictSame([...tags], ['a'])
  t.equal(bytes[0], 1)
})

await t.test('what is known of an object is as it was committed last', async (t) => {
  const { infoOf } = await import('../../../src/engine/dio/dao-state.js')
  await using chain = await memoryChain()
  const dio = chain.dioMut()
  const note = dio.store({ text: 'x' }, { type: Note })
  t.equal(infoOf(note).revision, 0)
  await dio.commit()
  t.equal(infoOf(note).revision, 1)
  t.ok(infoOf(note).createdAt instanceof Date)
  t.ok(infoOf(note).sizeBytes > 0)
})

const PROGRAM = `
import { dataType, type StandardSchema } from 'atefs'
declare const counting: StandardSchema<{ count: string }, { count: number }>
declare const defaulting: StandardSchema<{ count?: number }, { count: number }>
dataType('Good', counting, { index: ['count'], stored: { write: ({ count }) => ({ count: count.toFixed() }) } })
dataType('Good', defaulting)
`
const WRONG = ["dataType('Bad', counting)", "dataType('Bad', counting, { index: ['count'] })"]

t.test('TypeScript asks for `stored` where a schema does not take what it gives out', (t) => {
  t.strictSame(refusedLines(PROGRAM + WRONG.join('\n')), WRONG)
  t.end()
})
