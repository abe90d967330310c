/** Being told of what becomes of a collection. */
import { mock } from 'node:test'
import t from 'tap'
import { CommitFeed } from '../../../src/engine/dio/commit-feed.js'
import type { CollectionEvent } from '../../../src/engine/dio/dao.js'
import { ChainBuilder } from '../../../src/library/chain-builder.js'
import { AteConfig } from '../../../src/library/config.js'
import { onEveryChain } from '../../helpers/every-chain.js'
import { Box, boxWith, Item } from '../../helpers/objects.js'

/** The next `count` events, as words. */
async function take(events: AsyncIterator<CollectionEvent<typeof Item>>, count: number): Promise<string[]> {
  const words: string[] = []
  while (words.length < count) {
    const result = await events.next()
    if (result.done === true) break
    const event = result.value
    words.push(event.kind === 'deleted' ? 'deleted' : `${event.kind} ${event.dao.name} ${event.dao.amount}`)
  }
  return words
}

await onEveryChain(
  'a subscriber is told of what is stored, changed and deleted, in the order of the commits',
  async (t, open) => {
    await using chain = await open()
    const box = await boxWith(chain, 'before')
    const other = await boxWith(chain, 'other')
    const events = (await chain.dio().load(Box, box.key)).items.subscribe()
    const dio = chain.dioMut()
    const a = (await dio.load(Box, box.key)).items.push({ name: 'a', amount: 1 })
    ;(await dio.load(Box, other.key)).items.push({ name: 'elsewhere', amount: 1 })
    await dio.commit()
    ;(await dio.load(Item, a.key)).amount = 2
    await dio.commit()
    ;(await dio.load(Box, box.key)).label = 'not about the children'
    await dio.commit()
    ;(await dio.load(Box, other.key)).items.attach(await dio.load(Item, a.key))
    await dio.commit()
    ;(await dio.load(Box, box.key)).items.push({ name: 'b', amount: 1 })
    await dio.commit()
    t.strictSame(await take(events, 4), ['stored a 1', 'changed a 2', 'deleted', 'stored b 1'])
    await events.return?.()
  },
)

await onEveryChain('what is not committed is nobody’s news', async (t, open) => {
  await using chain = await open()
  const box = await boxWith(chain)
  const { items } = await chain.dio().load(Box, box.key)
  const events = items.subscribe()
  const [lost, made] = [chain.dioMut(), chain.dioMut()]
  ;(await lost.load(Box, box.key)).items.push({ name: 'lost', amount: 1 })
  lost.cancel()
  ;(await made.load(Box, box.key)).items.push({ name: 'made', amount: 1 })
  await made.commit()
  t.strictSame(await take(events, 1), ['stored made 1'])
})

await onEveryChain('the loop ends with the chain, and with the subscriber', async (t, open) => {
  const chain = await open()
  const box = await boxWith(chain)
  const { items } = await chain.dio().load(Box, box.key)
  const seen: string[] = []
  const loop = (async () => {
    for await (const event of items.subscribe()) seen.push(event.kind)
  })()
  const first = (async () => {
    for await (const event of items.subscribe()) {
      seen.push(event.kind)
      break
    }
  })()
  await chain.transact(async (dio) => (await dio.load(Box, box.key)).items.push({ name: 'a', amount: 1 }))
  await first
  await chain.close()
  await loop
  t.strictSame(seen, ['stored', 'stored'])
})

await onEveryChain(
  'who does not take his events is told that he has missed some, and stalls nobody',
  async (t, open) => {
    await using chain = await open()
    const box = await boxWith(chain)
    const events = (await chain.dio().load(Box, box.key)).items.subscribe()
    const dio = chain.dioMut()
    for (let i = 0; i < 10_100; i++) (await dio.load(Box, box.key)).items.push({ name: `${i}`, amount: 1 })
    await dio.commit()
    let taken = 0
    await t.rejects(
      async () => {
        for await (const event of events) taken += event.kind === 'stored' ? 1 : 0
      },
      { code: 'LAGGED' },
    )
    t.equal(taken, 10_000)
  },
)

await onEveryChain('a listener that throws keeps nothing from others, nor the chain from its end', async (t, open) => {
  const chain = await open()
  const box = await boxWith(chain)
  const { items } = await chain.dio().load(Box, box.key)
  let calls = 0
  items.onChange(() => {
    calls++
    throw new Error('of the listener')
  })
  const events = items.subscribe()
  for (const name of ['a', 'b'])
    await chain.transact(async (dio) => (await dio.load(Box, box.key)).items.push({ name, amount: 1 }))
  t.strictSame(await take(events, 2), ['stored a 1', 'stored b 1'])
  await chain.close()
  t.equal(calls, 3)
  t.ok((await events.next()).done)
})

await t.test('whatever fails as a chain is closed, it is let go of', async (t) => {
  const close = mock.method(CommitFeed.prototype, 'close', () => Promise.reject(new Error('of the feed')))
  t.teardown(() => close.mock.restore())
  const root = t.testdir()
  const builder = new ChainBuilder(AteConfig.default().with({ logPath: root }))
  await t.rejects((await builder.open('test')).close(), { message: 'of the feed' })
  close.mock.restore()
  await (await builder.open('test')).close()
})
