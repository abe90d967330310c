import t from 'tap'
import { LeafCache } from '../../../src/engine/index/leaf-cache.js'
import { encodeLeaf } from '../../../src/engine/index/leaf.js'
import { encodeKey } from '../../../src/engine/index/record-key.js'

const PIECE_BYTES = 256 * 1024
const key = (low: number): Uint8Array => encodeKey(1, 2, low)

await t.test('a leaf covers the keys up to the next one; the last all that follow, once that is known', (t) => {
  const cache = new LeafCache(PIECE_BYTES)
  cache.learn([key(10), key(20), key(30)], false)
  const covering = (low: number): boolean | undefined => cache.covering(1, 2, low)?.covers(1, 2, low)
  t.same([9, 10, 19, 20, 29, 30, 99].map(covering), [undefined, true, true, true, true, undefined, undefined])
  cache.learn([key(30)], true)
  t.equal(covering(99), true)
  t.end()
})

await t.test('what is learned again keeps what was opened, and what was forgotten is gone', (t) => {
  const cache = new LeafCache(PIECE_BYTES)
  const first = cache.learn([key(10), key(20), key(30)], true)
  const bytes = encodeLeaf([{ kind: 1, high: 2, low: 10, value: Uint8Array.of(5) }])
  if (first !== undefined) cache.open(first, bytes.length, (target) => target.set(bytes))
  t.equal(cache.learn([key(5), key(10), key(20)], false)?.next, first)
  t.same(first?.leaf?.valueAt(0), Uint8Array.of(5))
  cache.forget({ kind: 1, high: 2, low: 20 })
  t.equal(first?.next, undefined)
  t.equal(cache.covering(1, 2, 25), undefined)
  t.equal(cache.learn([key(10), key(25), key(30)], true), first)
  t.equal(cache.covering(1, 2, 29)?.covers(1, 2, 29), true)
  t.end()
})

await t.test('opened leaves have bounded memory: the oldest are let go', (t) => {
  const cache = new LeafCache(2 * PIECE_BYTES)
  const value = new Uint8Array(60_000).fill(3)
  const bytes = encodeLeaf([{ kind: 1, high: 2, low: 0, value }])
  const lows = Array.from({ length: 20 }, (_, low) => low)
  cache.learn(lows.map(key), true)
  const leaves = lows.map((low) => cache.covering(1, 2, low))
  for (const cached of leaves) {
    if (cached !== undefined) cache.open(cached, bytes.length, (target) => target.set(bytes))
  }
  const kept = leaves.filter((cached) => cached?.leaf !== undefined)
  t.ok(kept.length >= 4 && kept.length <= 8, `${kept.length} are kept`)
  t.equal(leaves[0]?.leaf, undefined)
  for (const cached of kept) t.same(cached?.leaf?.valueAt(0), value)
  t.ok(leaves[19]?.leaf)
  t.end()
})

await t.test('a leaf that cannot be read is not kept', (t) => {
  const cache = new LeafCache(PIECE_BYTES)
  const cached = cache.learn([key(1)], true)
  if (cached === undefined) throw new Error('nothing learned')
  t.throws(() => cache.open(cached, 10, () => undefined), { code: 'BAD_FORMAT' })
  t.equal(cached.leaf, undefined)
  t.end()
})
