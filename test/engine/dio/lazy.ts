/** Fields are read when they are asked for: opening, listing and finding read none of those that lie in bodies. */
import t from 'tap'
import { dataType } from '../../../src/engine/dio/data-type.js'
import type { Plugin } from '../../../src/engine/dio/plugin.js'
import { vecOf } from '../../../src/engine/dio/link-definition.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { CountingStorage } from '../../helpers/counting-storage.js'
import { keys } from '../../helpers/log-workbench.js'
import { collected, memoryChain } from '../../helpers/objects.js'

const Page = dataType('Page', plain<{ number: number; text: string }>(), { index: ['number'] })
const Book = dataType('Book', plain<{ title: string; cover: string }>(), {
  index: ['title'],
  links: { pages: vecOf(Page) },
})
const labels: Plugin[] = [{ name: 'labels', linters: [({ type }) => ({ kind: type })] }]
const BOOKS = 20
const PAGES = 50
const text = 'lorem ipsum '.repeat(400)

async function library() {
  const [storage, store] = [new MemoryStorage(), new MemoryStore()]
  const chain = await memoryChain({ storage, store, keys }, labels)
  for (let i = 0; i < BOOKS; i++)
    await chain.transact((dio) => {
      const book = dio.store({ title: `book ${i}`, cover: text }, { type: Book })
      for (let number = 0; number < PAGES; number++) book.pages.push({ number, text })
    })
  await chain.close()
  return { storage: new CountingStorage(storage), store, keys }
}

await t.test('opening, listing and finding read no bodies, whatever lies in them', async (t) => {
  const place = await library()
  await using chain = await memoryChain({ ...place, bodyCache: { keepsWhole: true } })
  t.ok(place.storage.bytesRead < 1024 * 1024, `${place.storage.bytesRead} of some 5 MB were read`)
  const dio = chain.dio()
  const books = [...dio.rootKeys(Book)]
  t.equal(books.length, BOOKS)
  for (const key of books) {
    const info = await dio.info(key)
    t.equal(info?.type, 'Book')
    t.ok((info?.sizeBytes ?? 0) > text.length)
    t.equal(info?.revision, 1)
    t.ok(info?.createdAt instanceof Date)
  }
  t.equal((await collected(dio.labeled('kind', 'Page'))).length, BOOKS * PAGES)
  t.equal([...dio.findKeys(Page, 'number', 7)].length, BOOKS)
  t.equal(place.storage.bodyReads, 0)

  const [first] = dio.findKeys(Book, 'title', 'book 3')
  const book = await dio.load(Book, first ?? ('' as ObjectKey))
  t.equal(place.storage.bodyReads, 1, 'the fields of one object are one body')
  t.equal(book.cover, text)
  const pages = await collected(book.pages.keys())
  t.equal(pages.length, PAGES)
  for (const key of pages) t.equal((await dio.info(key))?.parent, first)
  t.equal(place.storage.bodyReads, 1)
  await chain.dio().load(Book, first ?? ('' as ObjectKey))
  t.equal(place.storage.bodyReads, 1, 'what was read is kept')
})

await t.test('what is kept of bodies is bounded', async (t) => {
  const place = await library()
  const all = BOOKS * (PAGES + 1)
  for (const [bytes, least, most] of [
    [128 * 1024, all / 4, 2 * all],
    [32 * 1024 * 1024, 0, 0],
  ] as const) {
    await using chain = await memoryChain({ ...place, bodyCache: { bytes, keepsWhole: true } })
    for await (const book of chain.dio().roots(Book)) await collected(book.pages)
    const before = place.storage.bodyReads
    for await (const book of chain.dio().roots(Book)) await collected(book.pages)
    const again = place.storage.bodyReads - before
    t.ok(again >= least && again <= most, `${again} bodies were read a second time`)
  }
})

await t.test('a transaction reads no body of what it deletes or moves', async (t) => {
  const place = await library()
  await using chain = await memoryChain(place)
  const [first = '' as ObjectKey, second = '' as ObjectKey] = chain.dio().rootKeys(Book)
  await chain.transact((dio) => dio.delete(first))
  const pages: ObjectKey[] = []
  for (const key of chain.dio().findKeys(Page, 'number', 3))
    if ((await chain.dio().info(key))?.parent === second) pages.push(key)
  await chain.transact((dio) => {
    for (const key of pages) dio.detach(key)
  })
  t.equal(pages.length, 1)
  t.equal(place.storage.bodyReads, 0)
})
