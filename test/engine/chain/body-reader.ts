/** Opened bodies in memory: how many, for how much, and that their memory is used again. */
import t from 'tap'
import { type BodyCacheOptions, BodyReader } from '../../../src/engine/chain/body-reader.js'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { IndexReader } from '../../../src/engine/index/index-reader.js'
import { LeafSeal } from '../../../src/engine/index/leaf-seal.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { GROUP_OVERHEAD_BYTES } from '../../../src/engine/log/format/group-header.js'
import { keys } from '../../helpers/log-workbench.js'

const KIB = 1024

/** A reader of bodies of one size, each full of its own number; counts what is opened, and the memory that is used. */
function workbench(bodies: number, bodyBytes: number, cache: BodyCacheOptions) {
  const memory = new Set<ArrayBufferLike>()
  const counts = { opened: 0 }
  const open = ({ body }: { body: number }, into: Uint8Array = new Uint8Array(bodyBytes)): Uint8Array => {
    counts.opened++
    memory.add(into.buffer)
    return into.fill(body % 251)
  }
  const reader = new BodyReader(open, new IndexReader(new MemoryStore(), new LeafSeal(nativeCrypto, keys)), cache)
  const place = { random: 0, segment: 1, position: 0, storedBytes: bodyBytes + GROUP_OVERHEAD_BYTES }
  reader.placed(
    1,
    Array.from({ length: bodies }, (_, i) => ({ ...place, body: i + 1 })),
  )
  return { reader, memory, counts }
}

for (const bodyBytes of [300, 3000, 11_900, 12_288, 30_000, 65_536])
  t.test(`bodies of ${bodyBytes} bytes take the memory that is said, and the same again and again`, (t) => {
    const { reader, memory } = workbench(2000, bodyBytes, { bytes: 1024 * KIB })
    const piece = new Uint8Array(100)
    for (let body = 1; body <= 2000; body++) {
      reader.copy({ body, offset: 50, length: 100 }, piece, 0)
      if (!piece.every((byte) => byte === body % 251)) t.fail(`body ${body} is another one's`)
    }
    t.ok(reader.cachedBytes <= 1024 * KIB)
    const used = [...memory].reduce((sum, buffer) => sum + buffer.byteLength, 0)
    t.ok(used <= 1024 * KIB + 2 * 64 * KIB, `${used} bytes were ever taken`)
    t.end()
  })

t.test('a body that is read as a whole is kept for who asks for that', (t) => {
  for (const keepsWhole of [true, false]) {
    const { reader, counts } = workbench(1, 5000, { keepsWhole })
    const whole = new Uint8Array(5000)
    for (let i = 0; i < 3; i++) reader.copy({ body: 1, offset: 0, length: 5000 }, whole, 0)
    t.equal(counts.opened, keepsWhole ? 1 : 3)
    whole.fill(0)
    reader.copy({ body: 1, offset: 0, length: 5000 }, whole, 0)
    t.equal(whole[4999], 1, 'what is given out is a copy')
  }
  t.end()
})

t.test('a cache that is too small for one body has room for one', (t) => {
  const { reader, counts } = workbench(2, 12_000, { bytes: 0 })
  const piece = new Uint8Array(10)
  for (let i = 0; i < 3; i++) reader.copy({ body: 1, offset: 1, length: 10 }, piece, 0)
  t.equal(counts.opened, 1)
  t.end()
})
