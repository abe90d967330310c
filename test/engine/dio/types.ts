/** What a type may be, and what TypeScript and the program say of one that it may not be. */
import t from 'tap'
import { type DataType, dataType } from '../../../src/engine/dio/data-type.js'
import { mapOf, vecOf, weakTo } from '../../../src/engine/dio/link-definition.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { collected, Item, memoryChain } from '../../helpers/objects.js'
import { refusedLines } from '../../helpers/type-errors.js'

interface EmployeeFields {
  name: string
}
const Employee = dataType('Employee', plain<EmployeeFields>(), {
  links: {
    get reports() {
      return vecOf(Employee)
    },
    get company() {
      return weakTo(Company)
    },
  },
  merge: (base: EmployeeFields, theirs: EmployeeFields, mine: EmployeeFields) =>
    mine.name === base.name ? theirs : mine,
})
const Company = dataType('Company', plain<{ name: string }>(), { links: { employees: mapOf(Employee) } })

await t.test('a type refers to itself, and to one that is declared below it, fully typed', async (t) => {
  await using chain = await memoryChain()
  const dio = chain.dioMut()
  const company = dio.store({ name: 'Acme' }, { type: Company })
  const ann = company.employees.set('ann', { name: 'Ann' })
  ann.company.set(company)
  ann.reports.push({ name: 'Bob' }).reports.push({ name: 'Cyd' })
  dio.cancel()
  await chain.transact((dio) => dio.store({ name: 'Acme' }, { type: Company }).employees.set('ann', { name: 'Ann' }))
  const [found] = await collected(chain.dio().roots(Company))
  const name: string | undefined = (await found?.employees.get('ann'))?.name
  t.equal(name, 'Ann')
})

await t.test(
  'an object without a type is refused by a sentence, also in a program that no compiler has checked',
  async (t) => {
    await using chain = await memoryChain()
    const dio = chain.dioMut()
    const refused = { code: 'BAD_ARGUMENT', message: 'What is stored has no type.' }
    for (const options of [undefined, null, {}, { type: undefined }, { type: 'Item' }, { type: {} }])
      t.throws(() => void Reflect.apply(dio.store.bind(dio), undefined, [{ name: 'Ann' }, options]), refused)
    dio.cancel()
  },
)

await t.test(
  'an object is looked for by the fields that its type has an index of, and by what these may be',
  async (t) => {
    await using chain = await memoryChain()
    const Book = dataType('Book', plain<{ title: string; state: 'new' | 'old'; year?: number; at: Date }>(), {
      index: ['title', 'state', 'year'],
    })
    await chain.transact((dio) => dio.store({ title: 'Emma', state: 'old', at: new Date(0) }, { type: Book }))
    const dio = chain.dio()
    t.equal((await collected(dio.find(Book, 'state', 'old'))).length, 1)
    t.equal((await collected(dio.find(Book, 'year', 1815))).length, 0)
    const find = dio.find.bind(dio) as unknown as (type: object, field: string, value: string) => AsyncIterable<object>
    await t.rejects(collected(find(Book, 'at', '')), { code: 'BAD_ARGUMENT' }, 'also where types are not looked at')
  },
)

await t.test('a type has at most 256 indexed fields, and objects with all of them are loaded and found', async (t) => {
  await using chain = await memoryChain()
  const names = Array.from({ length: 257 }, (_, i) => `field${i}`)
  const type = (index: string[]): DataType<Record<string, string>> =>
    dataType('Wide', plain<Record<string, string>>(), { index })
  t.throws(() => type(names), { code: 'BAD_ARGUMENT', message: 'The type Wide has more than 256 indexed fields.' })
  const Wide = type(names.slice(0, 256))
  const fields = Object.fromEntries(names.map((name) => [name, name]))
  const { key } = await chain.transact((dio) => dio.store(fields, { type: Wide }))
  t.match(await chain.dio().load(Wide, key), fields)
  t.equal((await collected(chain.dio().find(Wide, 'field255', 'field255'))).length, 1)
})

const PROGRAM = `
import { dataType, type Dio, plain, vecOf } from 'atefs'
const Note = dataType('Note', plain<{ text: string }>())
const Book = dataType('Book', plain<{ title: string; state: 'new' | 'old'; year?: number; at: Date }>(), {
  index: ['title', 'state', 'year'],
  links: { notes: vecOf(Note) },
})
declare const dio: Dio
export const right = [dio.find(Book, 'title', 'Emma'), dio.find(Book, 'state', 'old'), dio.find(Book, 'year', 1815)]
`
const WRONG = [
  "dio.find(Book, 'state', 'rare')",
  "dio.find(Book, 'year', '1815')",
  "dio.find(Book, 'year', undefined)",
  "dio.find(Book, 'at', new Date())",
  "dio.find(Note, 'text', 'x')",
  "dataType('Diary', plain<{ at: Date }>(), { index: ['at'] })",
  "dataType('Diary', plain<{ at: Date }>(), { index: ['when'] })",
  "dataType('Diary', plain<{ notes: string }>(), { links: { notes: vecOf(Note) } })",
  "vecOf('Note')",
]

t.test(
  'TypeScript refuses what cannot be: fields without an index, values they do not have, fields named like links',
  (t) => {
    t.strictSame(refusedLines(PROGRAM + WRONG.join('\n')), WRONG)
    t.end()
  },
)

const READING = `
import { type Dao, dataType, type Dio, type DioMut, type Frozen, type ObjectKey, plain, mapOf, vecOf, weakTo } from 'atefs'
const Note = dataType('Note', plain<{ text: string }>())
const Book = dataType('Book', plain<{ title: string; at: Date; tags: string[]; more: Map<string, { deep: bigint }>; state: 'new' | 'old' | null }>(), {
  index: ['title'],
  links: { notes: vecOf(Note), named: mapOf(Note), get next() { return weakTo(Book) } },
})
declare const [reading, changing, key]: [Dio, DioMut, ObjectKey]
const read = await reading.load(Book, key)
const mine = await changing.load(Book, key)
mine.title = 'Emma'
mine.tags = ['a']
mine.tags.push('b')
mine.more.set('x', { deep: 1n })
for await (const book of changing.find(Book, 'title', 'Emma')) book.state = 'old'
for await (const note of mine.notes) note.text = ''
for await (const [name, note] of mine.named) note.text = name
const next = await mine.next.load()
if (next !== undefined) next.title = next.tags.join()
const titleOf = (book: Dao<typeof Book>): string => book.title + book.tags.join() + (book.more.get('x')?.deep ?? 0n) + book.at.getTime()
const load = (dio: Dio): Promise<Dao<typeof Book>> => dio.load(Book, key)
export const both = [titleOf(read), titleOf(mine), await load(reading), await load(changing), read.state ?? '']
const child = await read.notes.at(0)
export const anything: Frozen<{ what?: unknown }> = { what: null }
`
const CHANGES = [
  "read.title = 'Emma'",
  "read.tags = ['a']",
  "read.tags.push('b')",
  "read.tags[0] = 'b'",
  "read.more.set('x', { deep: 1n })",
  'for (const one of read.more.values()) one.deep = 2n',
  "read.notes.push({ text: '' })",
  "await read.named.delete('x')",
  'read.next.clear()',
  "if (child !== undefined) child.text = ''",
  "for await (const note of read.notes) note.text = ''",
  "for await (const [, note] of read.named) note.text = ''",
  "for await (const book of reading.find(Book, 'title', 'x')) book.state = 'old'",
  "for await (const event of read.notes.subscribe()) if (event.kind !== 'deleted') event.dao.text = ''",
]

t.test('TypeScript lets a transaction change what it loads, and nobody what is only read', (t) => {
  t.strictSame(refusedLines(READING + CHANGES.join('\n')), CHANGES)
  t.end()
})

await t.test('what is no link is refused when it is first used, with what would be one', async (t) => {
  await using chain = await memoryChain()
  for (const link of [Item, 'vec', undefined, { kind: 'vec' }, { kind: 'crowd', target: Item }]) {
    const Wrong = dataType('Wrong', plain<{ name: string }>(), { links: { items: link } })
    t.throws(() => chain.dioMut().store({ name: 'x' }, { type: Wrong }), {
      code: 'BAD_ARGUMENT',
      message: 'The link items of Wrong is none.',
      hint: /vecOf\(Type\)/,
    })
  }
})
