/** Chains whose log has many segments. */
import t from 'tap'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { keys } from '../../helpers/log-workbench.js'
import { Box, boxWith, memoryChain, namesIn } from '../../helpers/objects.js'

const SEGMENT_BYTES = 20_000

await t.test(
  'rotate: what was stored before a segment was closed and after it is there, at once and when reopened',
  async (t) => {
    const options = { storage: new MemoryStorage(), store: new MemoryStore(), keys, segmentBytes: SEGMENT_BYTES }
    const chain = await memoryChain(options)
    const segments = async () => (await options.storage.list()).filter((name) => name.endsWith('.seg')).length
    const box = await boxWith(chain, 'before')
    const first = await segments()
    for (let i = 0; (await segments()) < first + 5; i++)
      await chain.transact(async (dio) => {
        const loaded = await dio.load(Box, box.key)
        loaded.items.push({ name: `${i}`, amount: i })
        loaded.notes.set('large', { text: 'x'.repeat(5000) })
      })
    const names = await namesIn(chain, box)
    t.equal(names[0], 'before')
    t.strictSame(
      names.slice(1),
      Array.from({ length: names.length - 1 }, (_, i) => `${i}`),
    )
    await chain.close()
    for (const store of [options.store, new MemoryStore()]) {
      const again = await memoryChain({ ...options, store })
      t.strictSame(
        await namesIn(again, box),
        names,
        `order ${store === options.store ? 'by the index' : 'by the log alone'}`,
      )
      await again.transact(async (dio) => (await dio.load(Box, box.key)).items.push({ name: 'after', amount: 0 }))
      names.push('after')
      t.strictSame(await namesIn(again, box), names)
      await again.close()
    }
  },
)
