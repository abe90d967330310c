import fc from 'fast-check'
import t from 'tap'
import { decodeLeaf, encodeLeaf, type LeafRecord, recordStarts } from '../../../src/engine/index/leaf.js'
import { PackedLeaf } from '../../../src/engine/index/packed-leaf.js'
import { compareKeys } from '../../../src/engine/index/record-key.js'

const seed = 20260101
const packed = (bytes: Uint8Array): PackedLeaf => new PackedLeaf(bytes, Uint32Array.from(recordStarts(bytes)))
const part = fc.oneof(fc.nat(5), fc.maxSafeNat())
const record = fc.record({ kind: fc.nat(255), high: part, low: part, value: fc.uint8Array({ maxLength: 40 }) })
const order = (a: LeafRecord, b: LeafRecord): number => compareKeys(a, b.kind, b.high, b.low)
const leaf = fc
  .uniqueArray(record, { maxLength: 30, comparator: (a, b) => order(a, b) === 0 })
  .map((records) => records.sort(order))

await t.test('a packed leaf holds the records it was made of, and finds the place of any key', async (t) => {
  const property = fc.property(leaf, record, (records, other) => {
    const leaf = packed(encodeLeaf(records))
    t.equal(leaf.length, records.length)
    records.forEach(({ kind, high, low, value }, i) => {
      t.ok(leaf.isOf(i, kind, high) && leaf.lowAt(i) === low)
      t.same(leaf.valueAt(i), value)
      t.equal(leaf.lowerBound(kind, high, low), i)
    })
    t.equal(leaf.isOf(records.length, 0, 0), false)
    const { kind, high, low } = other
    t.equal(leaf.lowerBound(kind, high, low), records.filter((r) => compareKeys(r, kind, high, low) < 0).length)
  })
  fc.assert(property, { seed, numRuns: 200 })
})

await t.test('bytes that are no leaf are refused as they are when a leaf is taken apart', async (t) => {
  const property = fc.property(leaf, fc.nat(), fc.nat(255), fc.nat(), (records, at, byte, cut) => {
    const bytes = encodeLeaf(records)
    if (bytes.length > 0) bytes[at % bytes.length] = byte
    const damaged = bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % 20 : 0))
    const outcome = (parse: () => { length: number }): unknown => {
      try {
        return parse().length
      } catch (error) {
        return error
      }
    }
    t.same(
      outcome(() => packed(damaged)),
      outcome(() => decodeLeaf(damaged)),
    )
  })
  fc.assert(property, { seed, numRuns: 300 })
})

await t.test('a cut record, a value that does not fit and keys out of order are refused', async (t) => {
  const two = [1, 2].map((low) => ({ kind: 7, high: 3, low, value: Uint8Array.of(low, low, low) }))
  const bytes = encodeLeaf(two)
  const half = bytes.length / 2
  const swapped = Uint8Array.from([...bytes.subarray(half), ...bytes.subarray(0, half)])
  const twice = Uint8Array.from([...bytes.subarray(0, half), ...bytes.subarray(0, half)])
  for (const parse of [packed, decodeLeaf]) {
    for (let length = 1; length < bytes.length; length++)
      if (length !== half) t.throws(() => parse(bytes.subarray(0, length)), { code: 'BAD_FORMAT' }, `cut at ${length}`)
    t.throws(() => parse(swapped), { code: 'BAD_FORMAT' })
    t.throws(() => parse(twice), { code: 'BAD_FORMAT' })
    t.equal(parse(bytes).length, 2)
  }
})
