/** What transactions see of each other, and what becomes of those that meet. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { keyOf } from '../../../src/engine/dio/dao-state.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { onEveryChain } from '../../helpers/every-chain.js'
import { Box, boxWith, collected, Item, memoryChain, namesIn, Note } from '../../helpers/objects.js'

const Counter = dataType('Counter', plain<{ count: number }>())
const Summed = dataType('Summed', plain<{ count: number }>(), {
  merge: (base, theirs, mine) => ({ count: theirs.count + mine.count - base.count }),
}) // prettier-ignore

await onEveryChain('a reader sees one moment, whatever is committed meanwhile', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain, 'a', 'b')
  const before = chain.dio()
  const dio = chain.dioMut()
  const loaded = await dio.load(Box, box.key)
  loaded.label = 'changed'
  loaded.items.push({ name: 'c', amount: 1 })
  const [a] = await collected(loaded.items)
  if (a !== undefined) dio.delete(a)
  await dio.commit()
  const seen = await before.load(Box, box.key)
  t.equal(seen.label, 'box')
  t.strictSame(
    (await collected(seen.items)).map(({ name }) => name),
    ['a', 'b'],
  )
  t.strictSame(await namesIn(chain, box), ['b', 'c'])
})

await onEveryChain(
  'of two that change what both have read the second is refused, and nothing of it happens',
  async (t, open) => {
    await using chain = await open()
    const dio = chain.dioMut()
    const counter = dio.store({ count: 0 }, { type: Counter })
    await dio.commit()
    const [one, two] = [chain.dioMut(), chain.dioMut()]
    for (const each of [one, two]) (await each.load(Counter, counter.key)).count++
    const lost = two.store({ text: 'lost' }, { type: Note })
    await one.commit()
    await t.rejects(two.commit(), { code: 'CONFLICT' })
    t.equal((await chain.dio().load(Counter, counter.key)).count, 1)
    t.notOk(await chain.dio().exists(lost.key))
    ;(await two.load(Counter, counter.key)).count++
    await two.commit()
    t.equal((await chain.dio().load(Counter, counter.key)).count, 2, 'it has begun again')
  },
)

await onEveryChain('transact begins again until it is committed', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut()
  const { key } = dio.store({ count: 0 }, { type: Counter })
  await dio.commit()
  const increment = (retries: number) =>
    chain.transact(
      async (dio) => {
        const counter = await dio.load(Counter, key)
        await sleep(1)
        return ++counter.count
      },
      { retries },
    )
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => increment(100)))
  t.strictSame(outcomes.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i + 1)) // prettier-ignore
  const hopeless = await Promise.allSettled(Array.from({ length: 5 }, () => increment(0)))
  t.equal(hopeless.filter(({ status }) => status === 'rejected').length, 4)
})

await onEveryChain('a type that says how to merge has no conflicts', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut()
  const { key } = dio.store({ count: 10 }, { type: Summed })
  await dio.commit()
  const [one, two] = [chain.dioMut(), chain.dioMut()]
  const mine = await two.load(Summed, key)
  ;(await one.load(Summed, key)).count += 5
  mine.count += 7
  await one.commit()
  await two.commit()
  t.equal((await chain.dio().load(Summed, key)).count, 22)
  t.equal(mine.count, 22, 'who merged sees what it came to')
})

await onEveryChain('objects that lie in bodies are merged as those in records are', async (t, open) => {
  await using chain = await open()
  const Texts = dataType('Texts', plain<{ lines: string[] }>(), {
    merge: (_, theirs, mine) => ({ lines: [...new Set([...theirs.lines, ...mine.lines])] }),
  }) // prettier-ignore
  const dio = chain.dioMut()
  const { key } = dio.store({ lines: ['x'.repeat(2000)] }, { type: Texts })
  await dio.commit()
  const [one, two] = [chain.dioMut(), chain.dioMut()]
  ;(await one.load(Texts, key)).lines.push('one')
  ;(await two.load(Texts, key)).lines.push('two')
  await one.commit()
  await two.commit()
  t.strictSame((await chain.dio().load(Texts, key)).lines.slice(1), ['one', 'two'])
})

await onEveryChain('pushes never meet, whoever makes them', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain, 'first')
  const dios = Array.from({ length: 20 }, () => chain.dioMut())
  for (const [i, dio] of dios.entries()) {
    const { items } = await dio.load(Box, box.key)
    items.push({ name: `${i}.a`, amount: 1 })
    items.push({ name: `${i}.b`, amount: 1 })
  }
  await Promise.all(dios.map((dio) => dio.commit()))
  const expected = ['first', ...dios.flatMap((_, i) => [`${i}.a`, `${i}.b`])]
  t.strictSame(await namesIn(chain, box), expected, 'in the order of their commits')
  await chain.transact(async (dio) => {
    for (const item of await collected((await dio.load(Box, box.key)).items)) dio.delete(item)
  })
  t.strictSame(await namesIn(chain, box), [], 'each knows its place')
})

await onEveryChain(
  'what moves to the end of its own vec, or is appended and taken back, is no trouble for who appends',
  async (t, open) => {
    await using chain = await open()
    const box = await boxWith(chain, 'a', 'b')
    const [, last] = await collected((await chain.dio().load(Box, box.key)).items)
    if (last === undefined) return t.fail()
    const [moves, appends, takesBack] = [chain.dioMut(), chain.dioMut(), chain.dioMut()]
    ;(await moves.load(Box, box.key)).items.attach(await moves.load(Item, keyOf(last)))
    takesBack.delete((await takesBack.load(Box, box.key)).items.push({ name: 'never', amount: 1 }))
    takesBack.store({ text: 'something else' }, { type: Note })
    ;(await appends.load(Box, box.key)).items.push({ name: 'c', amount: 1 })
    await appends.commit()
    t.strictSame(await namesIn(chain, box), ['a', 'b', 'c'])
    await takesBack.commit()
    t.strictSame(await namesIn(chain, box), ['a', 'b', 'c'])
    await moves.commit()
    t.strictSame(await namesIn(chain, box), ['a', 'c', 'b'], 'there is one of each')
    await chain.transact((dio) => dio.delete(keyOf(last)))
    t.strictSame(await namesIn(chain, box), ['a', 'c'])
  },
)

await onEveryChain('names of a map meet only when they are the same', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain)
  const set = (name: string, text: string) => async () => {
    const dio = chain.dioMut()
    const { notes } = await dio.load(Box, box.key)
    notes.set(name, { text })
    return dio
  }
  const dios = await Promise.all([set('a', '1')(), set('b', '2')(), set('a', '3')()])
  const outcomes = await Promise.allSettled(dios.map((dio) => dio.commit()))
  t.strictSame(outcomes.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected']) // prettier-ignore
  const { notes } = await chain.dio().load(Box, box.key)
  t.equal((await notes.get('a'))?.text, '1')
  t.equal((await notes.get('b'))?.text, '2')
})

await onEveryChain('a child cannot be added to what is deleted meanwhile', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain, 'a')
  const [adds, deletes] = [chain.dioMut(), chain.dioMut()]
  ;(await adds.load(Box, box.key)).items.push({ name: 'orphan', amount: 1 })
  deletes.delete(box.key)
  await deletes.commit()
  await t.rejects(adds.commit(), { code: 'CONFLICT' })
  const again = await boxWith(chain, 'a')
  const [pushes, removes] = [chain.dioMut(), chain.dioMut()]
  removes.delete(again.key)
  ;(await pushes.load(Box, again.key)).items.push({ name: 'late', amount: 1 })
  await pushes.commit()
  await t.rejects(removes.commit(), { code: 'CONFLICT' }, 'nor deleted with children that it has not seen')
  t.equal([...chain.dio().rootKeys(Item)].length, 0)
})

await t.test('a commit is as durable as the chain can make it, or is refused', async (t) => {
  await using chain = await memoryChain()
  const dio = chain.dioMut()
  dio.store({ text: 'x' }, { type: Note })
  for (const durability of ['local', 'server', 'replicated'] as const)
    await t.rejects(dio.commit({ durability }), { code: 'NOT_SUPPORTED' })
  await dio.commit({ durability: 'memory' })
  t.equal([...chain.dio().rootKeys()].length, 1)
})

await onEveryChain('a commit that is given up in time changes nothing, and may be tried again', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut()
  dio.store({ text: 'x' }, { type: Note })
  await t.rejects(dio.commit({ signal: AbortSignal.abort() }), { code: 'ABORTED' })
  t.equal([...chain.dio().rootKeys()].length, 0)
  await dio.commit({ timeoutMs: 10_000 })
  t.equal([...chain.dio().rootKeys()].length, 1)
})

await t.test('on a full disk nothing is committed, and everything is when there is room again', async (t) => {
  const storage = new FaultStorage({ capacityBytes: 3_000_000 })
  await using chain = await memoryChain({ storage })
  const dio = chain.dioMut()
  const Blob = dataType('Blob', plain<{ bytes: Uint8Array }>())
  dio.store({ bytes: new Uint8Array(8_000_000) }, { type: Blob })
  await t.rejects(dio.commit(), { code: 'NO_SPACE' })
  t.equal([...chain.dio().rootKeys()].length, 0)
  storage.capacityBytes = 100_000_000
  await dio.commit()
  t.equal([...chain.dio().rootKeys()].length, 1)
})

await t.test('two identical commits are two commits', async (t) => {
  await using chain = await memoryChain({ clock: () => 1_700_000_000_000 })
  for (let i = 0; i < 2; i++) {
    const dio = chain.dioMut()
    dio.store({ text: 'the same' }, { type: Note })
    await dio.commit()
  }
  t.equal((await collected(chain.dio().roots(Note))).length, 2)
})
