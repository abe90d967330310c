/** Overlay over index against a plain map, for any order of changes, forgetting and flushes in between. */
import fc from 'fast-check'
import t from 'tap'
import { Overlay } from '../../../src/engine/index/overlay.js'
import { mergedFloor, mergedRange } from '../../../src/engine/chain/merged-range.js'
import type { RecordItem } from '../../../src/engine/chain/record-view.js'

/** An index of one (kind, high) in a plain map. */
class PlainIndex {
  readonly values = new Map<number, Uint8Array>()

  range(_kind: number, _high: number, from: number, to: number, limit: number): RecordItem[] {
    return this.#sorted((low) => low >= from && low <= to).slice(0, limit)
  }

  floor(_kind: number, _high: number, low: number): RecordItem | undefined {
    return this.#sorted((each) => each <= low).at(-1)
  }

  #sorted(wanted: (low: number) => boolean): RecordItem[] {
    const lows = [...this.values.keys()].filter(wanted).sort((a, b) => a - b)
    return lows.map((low) => ({ low, value: this.values.get(low) ?? new Uint8Array() }))
  }
}

const low = fc.integer({ min: 0, max: 60 })
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('put' as const), low }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('delete' as const), low }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const), from: low, to: low }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('flush' as const) }) },
)

await t.test('overlay and index together read as one map', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const overlay = new Overlay()
      const index = new PlainIndex()
      const model = new PlainIndex()
      const committed: Map<number, Uint8Array>[] = []
      let transaction = 1
      steps.forEach((each, number) => {
        const value = Uint8Array.of(number)
        if (each.type === 'put') {
          overlay.put(transaction, 1, 1, each.low, value)
          model.values.set(each.low, value)
        } else if (each.type === 'delete') {
          overlay.put(transaction, 1, 1, each.low, null)
          model.values.delete(each.low)
        } else if (each.type === 'clear') {
          overlay.deleteRange(transaction, 1, 1, each.from, each.to)
          for (let at = each.from; at <= each.to; at++) model.values.delete(at)
        } else if (each.type === 'commit') {
          overlay.changesOf(transaction)
          committed[transaction++] = new Map(model.values)
        } else if (committed.length > 0) {
          // The index takes in everything up to the last commit.
          index.values.clear()
          for (const [at, kept] of committed[transaction - 1] ?? []) index.values.set(at, kept)
          overlay.forget(transaction - 1)
        }
        const bucket = overlay.bucket(1, 1)
        for (const at of [0, 7, 30, 60]) {
          for (const limit of [1, 3, 100]) {
            const read =
              bucket === undefined ? index.range(1, 1, at, 50, limit) : mergedRange(bucket, index, 1, 1, at, 50, limit)
            t.strictSame(read, model.range(1, 1, at, 50, limit))
          }
          const floor = bucket === undefined ? index.floor(1, 1, at) : mergedFloor(bucket, index, 1, 1, at)
          t.strictSame(floor, model.floor(1, 1, at))
        }
      })
    }),
    { seed: 20261121, numRuns: 150 },
  )
})
