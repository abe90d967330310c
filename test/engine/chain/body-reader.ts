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
      void reader.copy({ body, offset: 50, length: 100 }, piece, 0)
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
    for (let i = 0; i < 3; i++) void reader.copy({ body: 1, offset: 0, length: 5000 }, whole, 0)
    t.equal(counts.opened, keepsWhole ? 1 : 3)
    whole.fill(0)
    void reader.copy({ body: 1, offset: 0, length: 5000 }, whole, 0)
    t.equal(whole[4999], 1, 'what is given out is a copy')
  }
  t.end()
})

t.test('a cache that is too small for one body has room for one', (t) => {
  const { reader, counts } = workbench(2, 12_000, { bytes: 0 })
  const piece = new Uint8Array(10)
  for (let i = 0; i < 3; i++) void reader.copy({ body: 1, offset: 1, length: 10 }, piece, 0)
  t.equal(counts.opened, 1)
  t.end()
})

t.test(
  'when the cache is full, a small body stays that is asked for twice, and those asked for once push out none',
  (t) => {
    const { reader, counts } = workbench(1000, 12_000, { bytes: 128 * KIB })
    const piece = new Uint8Array(10)
    const opensOf = (body: number): number => {
      const before = counts.opened
      void reader.copy({ body, offset: 1, length: 10 }, piece, 0)
      if (!piece.every((byte) => byte === body % 251)) t.fail(`body ${body} is another one's`)
      return counts.opened - before
    }
    for (let body = 1; body <= 10; body++) opensOf(body)
    t.equal(opensOf(500), 1)
    t.equal(opensOf(500), 0, 'its neighbour in the same body, right after it')
    t.equal(opensOf(501), 1)
    t.equal(opensOf(500), 1, 'now it is kept')
    for (let body = 600; body < 900; body++) opensOf(body)
    t.equal(opensOf(500), 0)
    for (let body = 3; body <= 10; body++) t.equal(opensOf(body), 0, `body ${body} was pushed out by nobody`)
    t.end()
  },
)

t.test('a body that does not open leaves nothing behind that is taken for it', (t) => {
  let isDamaged = false
  const open = ({ body }: { body: number }, into: Uint8Array = new Uint8Array(12_000)): Uint8Array => {
    into.fill(isDamaged ? 0 : body)
    if (isDamaged) throw new Error('damaged')
    return into
  }
  const index = new IndexReader(new MemoryStore(), new LeafSeal(nativeCrypto, keys))
  const reader = new BodyReader(open, index, { bytes: 0 })
  const place = { random: 0, segment: 1, position: 0, storedBytes: 12_000 + GROUP_OVERHEAD_BYTES }
  const bodies = Array.from({ length: 100 }, (_, i) => ({ ...place, body: i + 1 }))
  reader.placed(1, bodies)
  const piece = new Uint8Array(10)
  for (const { body } of bodies) void reader.copy({ body, offset: 1, length: 10 }, piece, 0)
  isDamaged = true
  for (const body of [50, 99]) t.throws(() => reader.copy({ body, offset: 1, length: 10 }, piece, 0), /damaged/)
  isDamaged = false
  for (const body of [100, 99, 50]) {
    void reader.copy({ body, offset: 1, length: 10 }, piece, 0)
    t.equal(piece[0], body)
  }
  t.end()
})
