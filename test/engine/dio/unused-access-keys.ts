/** A compaction deletes access keys that nothing is sealed with any more, and everybody reads what he read before. */
import fc from 'fast-check'
import t from 'tap'
import { nativeCrypto as crypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain, type MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { Chain } from '../../../src/engine/dio/chain.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import type { Dio } from '../../../src/engine/dio/dio.js'
import { vecOf } from '../../../src/engine/dio/link-definition.js'
import { ACCESS_KEY_KIND } from '../../../src/engine/dio/kinds.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { findReferences } from '../../../src/engine/dio/references.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { errorCode } from '../../../src/engine/error.js'
import { IndexReader } from '../../../src/engine/index/index-reader.js'
import { LeafSeal } from '../../../src/engine/index/leaf-seal.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { ReadKey } from '../../../src/engine/trust/keys.js'
import { readBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { keys } from '../../helpers/log-workbench.js'

const Page = dataType('Page', plain<{ text: string }>())
const Diary = dataType('Diary', plain<{ title: string }>(), { links: { pages: vecOf(Page) } })

const readers = [1, 2, 3].map(() => ReadKey.generate(crypto))
const all = new AteSession({ readKeys: readers })
const sessions = [all, ...readers.map((key) => new AteSession({ readKeys: [key] })), new AteSession()]

interface Open {
  chain: Chain
  under: MemoryChain
}

async function open(storage: MemoryStorage, store: MemoryStore): Promise<Open> {
  const under = await openMemoryChain({
    crypto,
    keys,
    storage,
    store,
    findReferences,
    readers: { pollMs: 1, limitMs: 3 },
  })
  const { view } = under
  const chain = new Chain({
    name: 'test',
    view,
    crypto,
    nowMs: Date.now,
    durability: 'memory',
    compact: () => view.compact(),
    onClose: () => under.close(),
  })
  return { chain, under }
}

/** Of a chain that is closed. */
function accessKeysIn(store: MemoryStore): number {
  const index = new IndexReader(store, new LeafSeal(crypto, keys))
  return [...index.recordsFrom(ACCESS_KEY_KIND)].filter(({ kind }) => kind === ACCESS_KEY_KIND).length
}

await t.test('after 1,000 changes of a rule the chain has the keys that its rules need', async (t) => {
  const [storage, store] = [new MemoryStorage(), new MemoryStore()]
  const { chain } = await open(storage, store)
  const diary = await chain.transact((dio) => dio.store({ title: 'mine' }, { type: Diary }).key, { session: all })
  for (let change = 0; change < 1000; change++)
    await chain.transact(
      async (dio) => {
        const rule = change % 4 === 0 ? readBy.everyone : readBy.only(...readers.slice(0, (change % 3) + 1))
        dio.protect(await dio.load(Diary, diary), { read: rule })
      },
      { session: all },
    )
  const before = chain.dio(all)
  t.equal((await before.load(Diary, diary)).title, 'mine')
  await chain.close()
  t.ok(accessKeysIn(store) > 400, `${accessKeysIn(store)} before`)
  const again = await open(storage, store)
  await again.chain.compact()
  t.equal((await again.chain.dio(all).load(Diary, diary)).title, 'mine')
  await again.chain.close()
  t.ok(accessKeysIn(store) <= 3, `${accessKeysIn(store)} after`)
  const anew = new MemoryStore()
  const last = await open(storage, anew)
  t.equal((await last.chain.dio(all).load(Diary, diary)).title, 'mine', 'with an index that is made anew')
  await last.chain.close()
  t.equal(accessKeysIn(anew), accessKeysIn(store))
})

const who = fc.constantFrom([], [0], [1], [2], [0, 1], [1, 2], [0, 1, 2])
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('protect' as const), which: fc.nat(5), who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('page' as const), which: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), which: fc.nat(99) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

interface World extends Open {
  diaries: ObjectKey[]
  pages: ObjectKey[]
}

async function act({ chain, diaries, pages }: World, one: Exclude<Step, { kind: 'compact' }>): Promise<void> {
  await chain.transact(
    async (dio) => {
      if (one.kind === 'change') {
        const key = pages[one.which % Math.max(1, pages.length)]
        if (key !== undefined) (await dio.load(Page, key)).text += '.'
        return
      }
      const key = diaries[one.which % diaries.length]
      if (key === undefined) return
      const diary = await dio.load(Diary, key)
      if (one.kind === 'page') pages.push(diary.pages.push({ text: `page ${pages.length}` }).key)
      else
        dio.protect(diary, {
          read: one.who.length === 0 ? readBy.everyone : readBy.only(...one.who.flatMap((i) => readers[i] ?? [])),
        })
    },
    { session: all },
  )
}

/** What each may read. */
async function readable({ diaries, pages }: World, reads: readonly Dio[]): Promise<string> {
  const found: string[] = []
  for (const [i, dio] of reads.entries()) {
    const read = async (load: () => Promise<string>): Promise<void> => {
      found.push(`${i} ${await load().catch((error: unknown) => errorCode(error) ?? String(error))}`)
    }
    for (const key of diaries) await read(async () => (await dio.load(Diary, key)).title)
    for (const key of pages) await read(async () => (await dio.load(Page, key)).text)
  }
  return found.join('\n')
}

await t.test('whatever rules are changed around compactions, everybody reads what he read', async (t) => {
  let deleted = 0
  const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
    const [storage, store] = [new MemoryStorage(), new MemoryStore()]
    const world: World = { ...(await open(storage, store)), diaries: [], pages: [] }
    const { chain, diaries } = world
    for (const title of ['a', 'b', 'c'])
      diaries.push(await chain.transact((dio) => dio.store({ title }, { type: Diary }).key, { session: all }))
    for (const one of steps) {
      if (one.kind !== 'compact') {
        await act(world, one)
        continue
      }
      const older = sessions.map((session) => chain.dio(session))
      const before = await readable(world, older)
      const unread = sessions.map((session) => chain.dio(session))
      await chain.compact()
      for (const reads of [unread, sessions.map((session) => chain.dio(session))])
        if ((await readable(world, reads)) !== before) throw new Error('somebody reads something else')
    }
    const before = await readable(
      world,
      sessions.map((session) => chain.dio(session)),
    )
    await chain.close()
    const count = accessKeysIn(store)
    const again: World = { ...world, ...(await open(storage, store)) }
    await again.chain.compact()
    await again.chain.close()
    deleted += count - accessKeysIn(store)
    const last: World = { ...world, ...(await open(storage, new MemoryStore())) }
    if (
      (await readable(
        last,
        sessions.map((session) => last.chain.dio(session)),
      )) !== before
    )
      throw new Error('somebody reads something else after it was opened')
    await act(last, { kind: 'protect', which: 0, who: [0] })
    await last.chain.close()
  })
  await fc.assert(property, { seed: 20261122, numRuns: process.env['ATEFS_TEST_LONG'] === undefined ? 25 : 1000 })
  t.ok(deleted > 10, `${deleted} access keys were deleted`)
})
