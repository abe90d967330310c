/** Being told of objects without a parent, of one object, and of the one child of a link. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { dataType } from '../../../src/engine/dio/data-type.js'
import type { Chain } from '../../../src/engine/dio/chain.js'
import type { CollectionEvent } from '../../../src/engine/dio/dao.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { Box, boxWith, memoryChain, Note } from '../../helpers/objects.js'

const Sign = dataType('Sign', plain<{ text: string }>())

/** What has come, at least `count`, as words; closes the chain. */
async function words(
  chain: Chain,
  count: number,
  events: AsyncIterable<CollectionEvent<typeof Note>>,
): Promise<string[]> {
  const told: string[] = []
  const reading = (async () => {
    for await (const event of events)
      told.push(event.kind === 'deleted' ? 'deleted' : `${event.kind} ${event.dao.text}`)
  })()
  // Whoever waits for events gets those that are there one by one.
  while (told.length < count) await sleep(1)
  await sleep(20)
  await chain.close()
  await reading
  return told
}

await t.test('of objects without a parent: of their type, as they come, change, go, and become children', async (t) => {
  const chain = await memoryChain()
  await chain.transact((dio) => dio.store({ text: 'before' }, { type: Note }))
  const box = await boxWith(chain)
  const events = chain.dio().subscribeToRoots(Note)
  const dio = chain.dioMut()
  const note = dio.store({ text: 'a' }, { type: Note })
  dio.store({ text: 'other' }, { type: Sign })
  ;(await dio.load(Box, box.key)).notes.set('child', { text: 'a child' })
  await dio.commit()
  ;(await dio.load(Note, note.key)).text = 'b'
  await dio.commit()
  ;(await (await dio.load(Box, box.key)).notes.getOrSet('child', () => ({ text: '' }))).text = 'a child, changed'
  await dio.commit()
  dio.delete(note.key)
  await dio.commit()
  const second = dio.store({ text: 'c' }, { type: Note })
  await dio.commit()
  const child = await (await dio.load(Box, box.key)).notes.get('child')
  if (child !== undefined) dio.detach(child)
  await dio.commit()
  dio.deleteRoots(Note)
  await dio.commit()
  t.not(second.key, note.key)
  const told = await words(chain, 8, events)
  t.strictSame(told.slice(0, 5), ['stored a', 'changed b', 'deleted', 'stored c', 'stored a child, changed'])
  t.strictSame(told.slice(5), ['deleted', 'deleted', 'deleted'])
})

await t.test('of one object: also before there is one, wherever it lies, and of nothing else', async (t) => {
  const chain = await memoryChain()
  const key = chain.keyOfName('notes', 'main')
  const box = await boxWith(chain)
  const events = chain.dio().subscribeTo(Note, key)
  const dio = chain.dioMut()
  dio.store({ text: 'a' }, { type: Note, key })
  dio.store({ text: 'another' }, { type: Note })
  await dio.commit()
  ;(await dio.load(Note, key)).text = 'b'
  await dio.commit()
  const lost = chain.dioMut()
  ;(await lost.load(Note, key)).text = 'not committed'
  lost.cancel()
  ;(await dio.load(Box, box.key)).label = 'changed'
  await dio.commit()
  dio.delete(key)
  await dio.commit()
  t.strictSame(await words(chain, 3, events), ['stored a', 'changed b', 'deleted'])
  t.throws(() => chain.dio().subscribeTo(Note, key), { code: 'CHAIN_CLOSED' })
})

await t.test(
  'of the child of a link: one that takes the place of another is stored, and that one deleted',
  async (t) => {
    const chain = await memoryChain()
    const box = await boxWith(chain)
    const events = (await chain.dio().load(Box, box.key)).cover.subscribe()
    for (const text of ['front', 'back'])
      await chain.transact(async (dio) => (await dio.load(Box, box.key)).cover.store({ text }))
    await chain.transact(async (dio) => {
      const cover = await (await dio.load(Box, box.key)).cover.load()
      if (cover !== undefined) cover.text = 'inside'
    })
    await chain.transact(async (dio) => (await dio.load(Box, box.key)).cover.clear())
    const told = await words(chain, 5, events)
    t.strictSame(
      [told[0], told.slice(1, 3).sort(), ...told.slice(3)],
      ['stored front', ['deleted', 'stored back'], 'changed inside', 'deleted'],
    )
  },
)
