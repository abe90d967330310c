/** The sealed index against a plain sorted map: any sequence of flushes reads the same. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { equalBytes } from '../../../src/engine/bytes/equal.js'
import { nobleProvider } from '../../../src/engine/crypto/noble-provider.js'
import { deriveChainKeys } from '../../../src/engine/crypto/chain-keys.js'
import { Overlay } from '../../../src/engine/index/overlay.js'
import { IndexReader } from '../../../src/engine/index/index-reader.js'
import { IndexWriter } from '../../../src/engine/index/index-writer.js'
import { LeafSeal } from '../../../src/engine/index/leaf-seal.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { encodeKey } from '../../../src/engine/index/record-key.js'

const crypto = nobleProvider
const keys = deriveChainKeys(crypto, new Uint8Array(32).fill(7), new Uint8Array(16).fill(9), 1)
const point = { sequence: 1, digest: new Uint8Array(32).fill(3), segment: 1, position: 64 }

function open(store = new MemoryStore()) {
  const seal = new LeafSeal(crypto, keys)
  return { store, writer: new IndexWriter(store, seal, crypto, keys), reader: new IndexReader(store, seal) }
}

function drain(steps: Generator<void>): number {
  let slices = 0
  while (steps.next().done !== true) slices++
  return slices
}

function verified(writer: IndexWriter): boolean {
  const steps = writer.verify()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

type Step =
  | { type: 'put'; high: number; low: number; size: number }
  | { type: 'delete'; high: number; low: number }
  | { type: 'clear'; high: number; from: number; to: number }

const high = fc.integer({ min: 1, max: 4 })
const low = fc.integer({ min: 0, max: 300 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('put' as const), high, low, size: fc.integer({ min: 0, max: 400 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('delete' as const), high, low }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const), high, from: low, to: low }) },
)

function apply(model: Map<string, Uint8Array>, overlay: Overlay, step: Step): void {
  if (step.type === 'put') {
    const value = new Uint8Array(step.size).fill(step.low)
    model.set(`${step.high}/${step.low}`, value)
    overlay.put(1, 5, step.high, step.low, value)
  } else if (step.type === 'delete') {
    model.delete(`${step.high}/${step.low}`)
    overlay.put(1, 5, step.high, step.low, null)
  } else {
    for (let at = step.from; at <= step.to; at++) model.delete(`${step.high}/${at}`)
    overlay.deleteRange(1, 5, step.high, step.from, step.to)
  }
}

await t.test('what was flushed is read back: one by one, in ranges and by floor', async () => {
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 120 }), { maxLength: 5 }), (flushes) => {
      const { writer, reader } = open()
      const model = new Map<string, Uint8Array>()
      for (const steps of flushes) {
        const overlay = new Overlay()
        for (const each of steps) apply(model, overlay, each)
        drain(writer.flush(overlay, point, { nextGroup: 1, recordBytes: 0 }))
        // Only what changed is read again: the rest of the cache must still be right.
        reader.refresh(writer.takeChangedLeaves())
        for (let h = 0; h <= 5; h++) reader.range(5, h, 0, 1000, 10_000)
      }
      for (let h = 0; h <= 5; h++) {
        const lows = [...model.keys()].filter((k) => k.startsWith(`${h}/`)).map((k) => Number(k.slice(2)))
        lows.sort((a, b) => a - b)
        const all = reader.range(5, h, 0, 1000, 10_000)
        assert.deepEqual(
          all.map((item) => item.low),
          lows,
        )
        for (const item of all) assert.ok(equalBytes(item.value, model.get(`${h}/${item.low}`) ?? new Uint8Array(0)))
        for (const at of [0, 1, 57, 150, 299, 300]) {
          assert.equal(reader.get(5, h, at) === undefined, !model.has(`${h}/${at}`))
          assert.equal(reader.floor(5, h, at)?.low, lows.filter((l) => l <= at).at(-1))
          assert.deepEqual(
            reader.range(5, h, at, at + 50, 3).map((i) => i.low),
            lows.filter((l) => l >= at && l <= at + 50).slice(0, 3),
          )
        }
      }
      assert.ok(verified(writer))
    }),
    { seed: 20261121, numRuns: 40 },
  )
})

await t.test('what follows is found where everything before it was deleted', async (t) => {
  const { writer, reader } = open()
  const first = new Overlay()
  for (let at = 0; at < 1000; at++) first.put(1, 2, 1, at, new Uint8Array(40).fill(at))
  drain(writer.flush(first, point, { nextGroup: 1, recordBytes: 0 }))
  const second = new Overlay()
  second.deleteRange(1, 2, 1, 0, 499)
  drain(writer.flush(second, point, { nextGroup: 1, recordBytes: 0 }))
  reader.refresh(writer.takeChangedLeaves())
  const lows = reader.range(2, 1, 0, 1000, 1000).map(({ low }) => low)
  t.same([lows.length, lows[0], lows.at(-1)], [500, 500, 999])
  t.same(reader.range(2, 0, 0, 1000, 1000), [])
  t.equal(reader.floor(2, 1, 400), undefined)
  t.ok(verified(writer))
})

await t.test('many records are written in slices, and the state names the point only at the end', async (t) => {
  const { store, writer } = open()
  const overlay = new Overlay()
  for (let at = 0; at < 20_000; at++) overlay.put(1, 2, 1, at * 7919, new Uint8Array(40).fill(at))
  const steps = writer.flush(overlay, point, { nextGroup: 77, recordBytes: 0 })
  steps.next()
  t.equal(new IndexWriter(store, new LeafSeal(crypto, keys), crypto, keys).state.point, undefined)
  t.ok(drain(steps) > 1)
  const state = new IndexWriter(store, new LeafSeal(crypto, keys), crypto, keys).state
  t.strictSame(state.point, point)
  t.equal(state.nextGroup, 77)
})

await t.test('a leaf set back to an older value of its own is noticed', async (t) => {
  const { store, writer } = open()
  const key = encodeKey(0, 0, 0)
  for (const round of [1, 2]) {
    const before = store.get(key)
    const overlay = new Overlay()
    overlay.put(1, 2, 1, 1, Uint8Array.of(round))
    drain(writer.flush(overlay, point, { nextGroup: 1, recordBytes: 0 }))
    t.ok(verified(writer))
    if (before !== undefined) {
      store.write([{ key, value: before }])
      t.notOk(verified(writer))
    }
  }
})

await t.test('a flipped bit in a leaf is never served', async (t) => {
  const { store, writer, reader } = open()
  const overlay = new Overlay()
  overlay.put(1, 2, 1, 1, Uint8Array.of(1, 2, 3))
  drain(writer.flush(overlay, point, { nextGroup: 1, recordBytes: 0 }))
  const key = encodeKey(0, 0, 0)
  const stored = store.get(key) ?? new Uint8Array()
  for (let at = 0; at < stored.length; at++) {
    const bad = stored.slice()
    bad[at] = (bad[at] ?? 0) ^ 1
    store.write([{ key, value: bad }])
    reader.refresh()
    t.throws(() => reader.get(2, 1, 1), { code: 'BODY_DAMAGED' })
  }
})

await t.test('with little memory for leaves everything is read too, and what was read stays as it was', (t) => {
  const { writer, store } = open()
  const reader = new IndexReader(store, new LeafSeal(crypto, keys), 1)
  const overlay = new Overlay()
  const records = Array.from({ length: 900 }, (_, low) => ({ low, value: new Uint8Array(3000).fill(low) }))
  for (const { low, value } of records) overlay.put(1, 5, 1, low, value)
  drain(writer.flush(overlay, point, { nextGroup: 1, recordBytes: 0 }))
  const early = reader.range(5, 1, 0, 20, 100)
  const all = reader.range(5, 1, 0, 900, 1000)
  const isRight = ({ low, value }: { low: number; value: Uint8Array }): boolean =>
    value.length === 3000 && value.every((byte) => byte === low % 256)
  t.equal(all.length, 900)
  t.ok(all.every(isRight))
  for (const { low } of records) {
    const value = reader.get(5, 1, (low * 7) % 900)
    if (value === undefined || !isRight({ low: (low * 7) % 900, value })) t.fail(`${(low * 7) % 900}`)
  }
  t.equal(early.length, 21)
  t.ok(early.every(isRight))
  t.end()
})
