/** What a server has noted of what it gave back, and what it makes of a file that says less, or nothing. */
import t from 'tap'
import { encodeMessagePack } from '../../src/engine/codec/message-pack.js'
import { MemoryStorage } from '../../src/engine/log/index.js'
import { loadDropped, saveDropped } from '../../src/server/dropped-file.js'

async function loaded(content?: Uint8Array): Promise<{ upTo: number; keep: number }> {
  const storage = new MemoryStorage()
  if (content !== undefined) await storage.replaceSmall('dropped', content)
  return await loadDropped(storage)
}

const ANY_BATCH = { upTo: 0, keep: Number.MAX_SAFE_INTEGER }

t.test('it is read as it was written, and without it nothing was given back', async (t) => {
  const storage = new MemoryStorage()
  await saveDropped(storage, { upTo: 7, keep: 9 })
  t.strictSame(await loadDropped(storage), { upTo: 7, keep: 9 })
  t.strictSame(await loaded(), { upTo: 0, keep: 0 })
})

t.test('of a file of an earlier program, or a damaged one, any batch may drop what is missing', async (t) => {
  t.strictSame(await loaded(encodeMessagePack({ upTo: 7 })), ANY_BATCH)
  for (const damaged of [new Uint8Array(0), new Uint8Array(100).fill(0xc1), new Uint8Array(100_000)])
    t.strictSame(await loaded(damaged), ANY_BATCH, `${damaged.length} bytes`)
})
