/** Collections and references. */
import { infoOf } from '../../../src/engine/dio/dao-state.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { vecOf } from '../../../src/engine/dio/link-definition.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { onEveryChain } from '../../helpers/every-chain.js'
import { Box, boxWith, collected, Item, namesIn, Note, Owner } from '../../helpers/objects.js'

await onEveryChain('a vec keeps its order through pushes, insertions and removals', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain, 'a', 'c')
  const dio = chain.dioMut()
  const { items } = await dio.load(Box, box.key)
  await items.insert(1, { name: 'b', amount: 1 })
  await items.insert(0, { name: 'first', amount: 1 })
  await items.insert(99, { name: 'last', amount: 1 })
  const names = async () => (await collected(items)).map(({ name }) => name)
  t.strictSame(await names(), ['first', 'a', 'b', 'c', 'last'])
  await dio.commit()
  t.strictSame(await namesIn(chain, box), ['first', 'a', 'b', 'c', 'last'])
  t.equal((await items.at(2))?.name, 'b')
  t.equal((await items.at(-1))?.name, 'last')
  t.equal(await items.at(5), undefined)
  const [first] = await collected(items)
  if (first === undefined) return t.fail()
  await items.remove(first)
  t.strictSame(await names(), ['a', 'b', 'c', 'last'])
  await t.rejects(items.remove(first), { code: 'NOT_FOUND' }, 'it is no child any more')
  await items.clear()
  t.equal(await items.length(), 0)
  await dio.commit()
  t.strictSame(await namesIn(chain, box), [])
})

await onEveryChain('there is always room for one more between two', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain, 'front', 'back')
  const expected = ['front', 'back']
  for (let round = 0; round < 3; round++) {
    const dio = chain.dioMut()
    const { items } = await dio.load(Box, box.key)
    for (let i = 0; i < 30; i++) {
      await items.insert(1, { name: `${round}.${i}`, amount: 1 })
      expected.splice(1, 0, `${round}.${i}`)
    }
    t.strictSame(
      (await collected(items)).map(({ name }) => name),
      expected,
    )
    await dio.commit()
  }
  t.strictSame(await namesIn(chain, box), expected)
  const dio = chain.dioMut()
  for (const child of await collected((await dio.load(Box, box.key)).items)) dio.delete(child)
  await dio.commit()
  t.strictSame(await namesIn(chain, box), [], 'each still knows its place')
})

await onEveryChain('a vec is walked page by page, lazily', async (t, open) => {
  await using chain = await open()
  const names = Array.from({ length: 1000 }, (_, i) => `${i}`)
  const box = await boxWith(chain, ...names)
  t.strictSame(await namesIn(chain, box), names)
  for await (const item of (await chain.dio().load(Box, box.key)).items) {
    t.equal(item.name, '0')
    break
  }
})

await onEveryChain('a map has one child of each name', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain)
  const dio = chain.dioMut()
  const { notes } = await dio.load(Box, box.key)
  const old = notes.set('a', { text: '1' })
  notes.set('b', { text: '2' })
  notes.set('a', { text: '3' })
  t.equal(await notes.size(), 2)
  t.equal((await notes.get('a'))?.text, '3')
  t.notOk(await dio.exists(old.key), 'the one before is gone')
  await dio.commit()
  const read = (await chain.dio().load(Box, box.key)).notes
  t.strictSame(new Map((await collected(read)).map(([name, { text }]) => [name, text])), new Map([['a', '3'], ['b', '2']])) // prettier-ignore
  t.equal(await read.get('c'), undefined)
  t.ok(await notes.delete('a'))
  t.notOk(await notes.delete('a'))
  t.equal((await notes.getOrSet('z', () => ({ text: 'new' }))).text, 'new')
  t.equal((await notes.getOrSet('z', () => ({ text: 'newer' }))).text, 'new')
  await dio.commit()
  t.strictSame(new Set(await collected((await chain.dio().load(Box, box.key)).notes.keys())), new Set(['b', 'z']))
})

await onEveryChain('at most one child, a reference, and references to other chains', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut()
  const owner = dio.store({ name: 'Ann' }, { type: Owner })
  const box = dio.store({ label: 'x' }, { type: Box })
  const first = box.cover.store({ text: 'first' })
  box.cover.store({ text: 'second' })
  box.owner.set(owner)
  box.elsewhere.set('twin', { chain: 'other', key: owner.key })
  await dio.commit()
  const read = await chain.dio().load(Box, box.key)
  t.equal((await read.cover.load())?.text, 'second')
  t.notOk(await chain.dio().exists(first.key))
  t.equal((await read.owner.load())?.name, 'Ann')
  t.strictSame(read.elsewhere.get('twin'), { chain: 'other', key: owner.key })
  const { clear } = Object.getPrototypeOf(read.owner) as { clear: () => void }
  t.throws(() => clear.call(read.owner), { code: 'READ_ONLY' }, 'also where types are not looked at')
  const again = await dio.load(Box, box.key)
  t.ok(await again.cover.clear())
  dio.delete(owner.key)
  again.elsewhere.delete('twin')
  await dio.commit()
  const last = await chain.dio().load(Box, box.key)
  t.notOk(await last.cover.isSet())
  t.equal(last.owner.key, owner.key)
  t.equal(await last.owner.load(), undefined, 'what is gone is nothing')
  t.strictSame(last.elsewhere.names(), [])
})

await onEveryChain('with an object its children go, or become roots', async (t, open) => {
  await using chain = await open()
  for (const children of ['delete', 'detach'] as const) {
    const box = await boxWith(chain, 'a', 'b')
    const keys = await collected((await chain.dio().load(Box, box.key)).items.keys())
    const dio = chain.dioMut()
    dio.delete(box.key, { children })
    await dio.commit()
    t.strictSame(
      await Promise.all(keys.map((key) => chain.dio().exists(key))),
      keys.map(() => children === 'detach'),
    )
    t.strictSame([...chain.dio().rootKeys(Item)].sort(), children === 'detach' ? [...keys].sort() : [])
    dio.deleteRoots()
    await dio.commit()
  }
})

await onEveryChain('an object moves to another parent, and to none, and never below itself', async (t, open) => {
  await using chain = await open()
  const Tree = dataType('Tree', plain<{ name: string }>(), {
    links: {
      get branches() {
        return vecOf(Tree)
      },
    },
  })
  const dio = chain.dioMut()
  const top = dio.store({ name: 'top' }, { type: Tree })
  const middle = dio.store({ name: 'middle' }, { type: Tree })
  const low = dio.store({ name: 'low' }, { type: Tree })
  top.branches.attach(middle)
  middle.branches.attach(low)
  t.throws(() => low.branches.attach(top), { code: 'CYCLE' })
  t.throws(() => top.branches.attach(top), { code: 'CYCLE' })
  await dio.commit()
  t.strictSame([...chain.dio().rootKeys()], [top.key])
  const stored = await chain.dio().load(Tree, low.key)
  t.equal(infoOf(stored).parent, middle.key)

  const other = chain.dioMut()
  const loaded = await other.load(Tree, top.key)
  loaded.branches.attach(await other.load(Tree, low.key))
  await other.commit()
  t.equal(infoOf(await chain.dio().load(Tree, low.key)).parent, top.key)
  t.equal(await (await chain.dio().load(Tree, middle.key)).branches.length(), 0)
  other.detach(low.key)
  await other.commit()
  t.strictSame(new Set(chain.dio().rootKeys()), new Set([top.key, low.key]))
  t.equal(await (await chain.dio().load(Tree, top.key)).branches.length(), 1)
})

await onEveryChain(
  'an object that was stored before its type had a link gets it when it is next changed',
  async (t, open) => {
    await using chain = await open()
    const Old = dataType('Shelf', plain<{ name: string }>())
    const New = dataType('Shelf', plain<{ name: string }>(), { links: { notes: vecOf(Note) } })
    const dio = chain.dioMut()
    const { key } = dio.store({ name: 'x' }, { type: Old })
    await dio.commit()
    t.equal(await (await chain.dio().load(New, key)).notes.length(), 0)
    const shelf = await dio.load(New, key)
    shelf.notes.push({ text: 'hello' })
    await dio.commit()
    t.equal((await (await chain.dio().load(New, key)).notes.at(0))?.text, 'hello')
  },
)

await onEveryChain(
  'names and references have bounds, and what is beyond them leaves everything as it was',
  async (t, open) => {
    await using chain = await open()
    const box = await boxWith(chain, 'a')
    const dio = chain.dioMut()
    const loaded = await dio.load(Box, box.key)
    t.throws(() => loaded.notes.set('x'.repeat(1025), { text: '' }), { code: 'BAD_ARGUMENT' })
    for (const half of ['\ud800', 'x\udc00', '\udc00\ud800'])
      t.throws(() => loaded.notes.set(half, { text: '' }), { code: 'BAD_ARGUMENT' })
    loaded.notes.set('é'.repeat(512), { text: 'longest' })
    const far = { chain: 'c'.repeat(200), key: box.key }
    t.throws(() => loaded.elsewhere.set('\ud800', far), { code: 'BAD_ARGUMENT' })
    t.throws(() => loaded.elsewhere.set('name', { ...far, chain: '\udfff' }), { code: 'BAD_ARGUMENT' })
    loaded.notes.set('🦊', { text: 'a whole pair' })
    t.throws(
      () => {
        for (let i = 0; i < 300; i++) loaded.elsewhere.set(`${i}`, far)
      },
      { code: 'OBJECT_TOO_LARGE' },
    )
    await dio.commit()
    const stored = await chain.dio().load(Box, box.key)
    t.equal((await stored.notes.get('é'.repeat(512)))?.text, 'longest')
    t.equal((await stored.notes.get('🦊'))?.text, 'a whole pair')
    t.ok(stored.elsewhere.names().length > 100)
  },
)
