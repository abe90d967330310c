/** Storing, loading and deleting objects in transactions. */
import t from 'tap'
import { infoOf, keyOf } from '../../../src/engine/dio/dao-state.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { objectKey } from '../../../src/engine/dio/object-key.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { keys } from '../../helpers/log-workbench.js'
import { onEveryChain } from '../../helpers/every-chain.js'
import { Box, boxWith, collected, Item, memoryChain, Note } from '../../helpers/objects.js'

await onEveryChain('an object is stored, changed and deleted by commits, and only by them', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut()
  const note = dio.store({ text: 'one' }, { type: Note })
  note.text = 'two'
  t.equal((await dio.load(Note, note.key)).text, 'two', 'the transaction sees its own')
  t.notOk(await chain.dio().exists(note.key), 'nobody else does')
  await dio.commit()
  t.equal((await chain.dio().load(Note, note.key)).text, 'two')

  const again = await dio.load(Note, note.key)
  again.text = 'three'
  t.equal((await chain.dio().load(Note, note.key)).text, 'two')
  await dio.commit()
  t.equal((await chain.dio().load(Note, note.key)).text, 'three')
  t.equal(infoOf(await chain.dio().load(Note, note.key)).revision, 2)

  dio.delete(note.key)
  await t.rejects(dio.load(Note, note.key), { code: 'NOT_FOUND' })
  t.ok(await chain.dio().exists(note.key))
  await dio.commit()
  t.notOk(await chain.dio().exists(note.key))
  t.throws(() => dio.delete(note.key), { code: 'NOT_FOUND' })
})

await onEveryChain('what is given up leaves nothing', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut()
  const note = dio.store({ text: 'one' }, { type: Note })
  t.ok(dio.hasChanges)
  dio.cancel()
  t.notOk(dio.hasChanges)
  await dio.commit()
  t.notOk(await chain.dio().exists(note.key))
  t.throws(() => (note.text = 'two'), TypeError, 'an object that will never be stored cannot be changed')
})

await t.test('what is given up while its commit waits is not committed, and what has begun since is', async (t) => {
  await using chain = await memoryChain()
  const dio = chain.dioMut()
  dio.store({ text: 'given up' }, { type: Note })
  // The first commit of a chain waits for room in the log.
  const committing = t.rejects(dio.commit(), { code: 'ABORTED' })
  dio.cancel()
  const note = dio.store({ text: 'one' }, { type: Note })
  await committing
  note.text = 'two'
  await dio.commit()
  const texts = (await collected(chain.dio().roots(Note))).map(({ text }) => text)
  t.strictSame(texts, ['two'])
})

await onEveryChain(
  'an object of an earlier transaction is frozen: a change that would be lost is an error',
  async (t, open) => {
    await using chain = await open()
    const dio = chain.dioMut()
    const List = dataType('List', plain<{ words: string[]; more: { deep: number } }>())
    const list = dio.store({ words: ['a'], more: { deep: 1 } }, { type: List })
    await dio.commit()
    t.throws(() => list.words.push('b'), TypeError)
    t.throws(() => (list.more.deep = 2), TypeError)
    const read = await chain.dio().load(List, list.key)
    t.throws(() => Object.assign(read.more, { deep: 2 }), TypeError)
  },
)

await onEveryChain(
  'once `transact` is over nothing is changed through what it gave out: it would be lost',
  async (t, open) => {
    await using chain = await open()
    const { dio, box, note } = await chain.transact((dio) => {
      const box = dio.store({ label: 'box' }, { type: Box })
      return { dio, box, note: dio.store({ text: 'note' }, { type: Note }) }
    })
    const isOver = { code: 'BAD_ARGUMENT', message: /is over/ }
    t.throws(() => box.items.push({ name: 'lost', amount: 1 }), isOver)
    t.throws(() => box.notes.set('lost', { text: '' }), isOver)
    t.throws(() => box.cover.store({ text: '' }), isOver)
    t.throws(() => dio.store({ text: '' }, { type: Note }), isOver)
    t.throws(() => dio.delete(note), isOver)
    t.throws(() => dio.detach(note), isOver)
    t.throws(() => Object.assign(note, { text: '' }), TypeError)
    t.equal(await box.items.length(), 0, 'it is read as ever')
    t.equal((await chain.dio().load(Note, note.key)).text, 'note')
  },
)

await onEveryChain('what is stored is a copy, and looks like what was given', async (t, open) => {
  await using chain = await open()
  const Anything = dataType('Anything', plain<Record<string, unknown>>())
  const fields = {
    text: 'ä€😀',
    number: -1.5,
    large: Number.MAX_SAFE_INTEGER,
    big: 2n ** 100n,
    yes: true,
    nothing: null,
    bytes: Uint8Array.of(0, 255),
    when: new Date(1_700_000_000_123),
    list: [1, [2, { three: 3 }]],
    map: new Map<unknown, unknown>([[1, new Date(0)]]),
    set: new Set(['a']),
    empty: {},
  }
  const dio = chain.dioMut()
  const stored = dio.store(fields, { type: Anything })
  fields.list.push(4)
  await dio.commit()
  const loaded = await chain.dio().load(Anything, keyOf(stored))
  t.strictSame({ ...loaded }, { ...fields, list: [1, [2, { three: 3 }]] })
  t.notOk(Object.keys(loaded).includes('key'))
})

await t.test('an object without any bytes of its own is an object', async (t) => {
  const storage = new MemoryStorage()
  const Empty = dataType('Empty', plain<object>())
  const chain = await memoryChain({ storage, keys })
  const dio = chain.dioMut()
  const empty = dio.store({}, { type: Empty })
  await dio.commit()
  await chain.close()
  await using again = await memoryChain({ storage, keys })
  t.ok(await again.dio().exists(empty.key))
  t.strictSame({ ...(await again.dio().load(Empty, empty.key)) }, {})
})

await onEveryChain('what cannot be stored is refused by its path, without its value', async (t, open) => {
  await using chain = await open()
  const Anything = dataType('Anything', plain<Record<string, unknown>>())
  for (const bad of [{ f: Symbol('x') }, { f: 2 ** 60 }, { '\u0000date': 1 }]) {
    const dio = chain.dioMut()
    await t.rejects(
      async () => {
        dio.store(bad, { type: Anything })
        await dio.commit()
      },
      { message: /./ },
    )
    t.equal((await collected(chain.dio().roots(Anything))).length, 0)
  }
})

await onEveryChain(
  'what is nested as deep as it may be comes back, and what is nested deeper is refused',
  async (t, open) => {
    await using chain = await open()
    const Anything = dataType('Anything', plain<{ nested: unknown }>())
    const wraps: [string, (inner: unknown) => unknown, levels: number][] = [
      ['objects', (inner) => ({ inner }), 1],
      ['arrays', (inner) => [inner], 1],
      ['sets', (inner) => new Set([inner]), 2],
      ['maps', (inner) => new Map([[1, inner]]), 3],
    ]
    for (const [name, wrap, levels] of wraps) {
      let nested: unknown = 'end'
      for (let level = 1 + levels; level <= 16; level += levels) nested = wrap(nested)
      const { key } = await chain.transact((dio) => dio.store({ nested }, { type: Anything }))
      t.strictSame((await chain.dio().load(Anything, key)).nested, nested, name)
      const deeper = chain.transact((dio) => dio.store({ nested: wrap(nested) }, { type: Anything }))
      await t.rejects(deeper, { code: 'BAD_ARGUMENT', message: /too deeply/ }, name)
    }
  },
)

await onEveryChain('a text that is not Unicode is refused: nobody could read it back', async (t, open) => {
  await using chain = await open()
  const bad = chain.transact((dio) =>
    dio.store({ text: 'a\ud800' }, { type: dataType('Text', plain<{ text: string }>()) }),
  )
  await t.rejects(bad, { code: 'BAD_ARGUMENT', message: /Text\.text is not Unicode/ })
})

await onEveryChain(
  'a schema decides what is an object of its type, on the way in and on the way out',
  async (t, open) => {
    await using chain = await open()
    const Age = dataType('Age', {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'object' && value !== null && 'years' in value && typeof value.years === 'number'
            ? { value: { years: value.years } }
            : { issues: [{ message: 'secret', path: ['years'] }] },
      },
    })
    const dio = chain.dioMut()
    const bad: unknown = { years: 'secret' }
    t.throws(() => dio.store(bad as { years: number }, { type: Age }), {
      code: 'INVALID_OBJECT',
      message: /Age: years/,
      cause: [{ message: 'secret' }],
    })
    const age = dio.store({ years: 3 }, { type: Age })
    Reflect.set(age, 'years', 'secret')
    await t.rejects(dio.commit(), { code: 'INVALID_OBJECT' })
    age.years = 4
    await dio.commit()
    t.equal((await chain.dio().load(Age, age.key)).years, 4, 'put right, it is committed')
    const Other = dataType('Other', plain<object>())
    await t.rejects(chain.dio().load(Other, age.key), { code: 'WRONG_TYPE' })
  },
)

await t.test('a large object lies in bodies, and comes back', async (t) => {
  const storage = new MemoryStorage()
  const store = new MemoryStore()
  const Blob = dataType('Blob', plain<{ bytes: Uint8Array }>())
  const chain = await memoryChain({ storage, store, keys })
  const dio = chain.dioMut()
  const sizes = [10, 16_000, 17_000, 65_536, 1_000_000]
  const blobs = sizes.map((size) => dio.store({ bytes: new Uint8Array(size).fill(size % 251) }, { type: Blob }))
  await dio.commit()
  await chain.close()
  await using again = await memoryChain({ storage, store, keys })
  for (const [i, blob] of blobs.entries()) {
    const { bytes } = await again.dio().load(Blob, blob.key)
    t.ok(bytes.length === sizes[i] && bytes.every((byte) => byte === bytes.length % 251), `${bytes.length} bytes`)
  }
  const mut = again.dioMut()
  mut.store({ bytes: new Uint8Array(17 * 1024 * 1024) }, { type: Blob })
  await t.rejects(mut.commit(), { code: 'OBJECT_TOO_LARGE' })
})

await onEveryChain('an object may have a key of its own', async (t, open) => {
  await using chain = await open()
  const key = objectKey('0000000000100000000002')
  const dio = chain.dioMut()
  dio.store({ text: 'mine' }, { type: Note, key })
  t.throws(() => dio.store({ text: 'again' }, { type: Note, key }), { code: 'EXISTS' })
  await dio.commit()
  t.throws(() => chain.dioMut().store({ text: 'again' }, { type: Note, key }), { code: 'EXISTS' })
  t.equal((await chain.dio().load(Note, key)).text, 'mine')
  t.strictSame([...chain.dio().rootKeys(Note)], [key])
  t.throws(() => objectKey('nonsense'), { code: 'BAD_ARGUMENT' })
})

await onEveryChain('roots are listed, by type, and deleted all at once', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain, 'a', 'b')
  const dio = chain.dioMut()
  const notes = Array.from({ length: 600 }, (_, i) => dio.store({ text: `${i}` }, { type: Note }))
  t.equal((await collected(dio.roots(Note))).length, 600, 'before the commit')
  await dio.commit()
  const reader = chain.dio()
  t.strictSame(new Set(reader.rootKeys(Note)), new Set(notes.map(({ key }) => key)))
  t.equal([...reader.rootKeys()].length, 601)
  t.equal([...reader.rootKeys(Item)].length, 0, 'children are none')
  dio.deleteRoots(Note)
  await dio.commit()
  t.strictSame([...chain.dio().rootKeys()], [box.key])
  dio.deleteRoots()
  await dio.commit()
  t.strictSame([...chain.dio().rootKeys()], [])
})

await onEveryChain('objects are found by their indexed fields', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain, 'bolt', 'nut', 'bolt')
  const found = await collected(chain.dio().find(Item, 'name', 'bolt'))
  t.equal(found.length, 2)
  const dio = chain.dioMut()
  const [first] = await collected(dio.find(Item, 'name', 'bolt'))
  if (first === undefined) return t.fail()
  first.name = 'screw'
  t.equal((await collected(dio.find(Item, 'name', 'screw'))).length, 1, 'before the commit')
  await dio.commit()
  t.equal((await collected(chain.dio().find(Item, 'name', 'bolt'))).length, 1)
  t.equal((await collected(chain.dio().find(Item, 'name', 'screw'))).length, 1)
  dio.delete(box.key)
  await dio.commit()
  t.equal((await collected(chain.dio().find(Item, 'name', 'screw'))).length, 0)
})

await t.test('everything is there when the chain is opened again', async (t) => {
  const options = { storage: new MemoryStorage(), store: new MemoryStore(), keys }
  const chain = await memoryChain(options)
  const box = await boxWith(chain, 'a', 'b', 'c')
  await chain.close()
  for (const store of [options.store, new MemoryStore()]) {
    const again = await memoryChain({ ...options, store })
    const loaded = await again.dio().load(Box, box.key)
    t.equal(await loaded.items.length(), 3, store === options.store ? 'from the index' : 'from the log')
    await again.close()
  }
})

await onEveryChain(
  'bytes are stored without what else lies in their memory, and are the transaction’s own',
  async (t, open) => {
    await using chain = await open()
    const Bytes = dataType('Bytes', plain<{ bytes: Uint8Array; more: { list: Uint8Array[] } }>())
    const pool = new Uint8Array(1000).fill(7)
    const bytes = pool.subarray(10, 20)
    const dio = chain.dioMut()
    const stored = dio.store({ bytes, more: { list: [bytes] } }, { type: Bytes })
    pool.fill(8)
    t.equal(stored.bytes.buffer.byteLength, 10)
    await dio.commit()
    const loaded = await chain.dio().load(Bytes, keyOf(stored))
    t.strictSame(loaded.more.list, [new Uint8Array(10).fill(7)])
    t.strictSame(loaded.bytes, new Uint8Array(10).fill(7))
  },
)
